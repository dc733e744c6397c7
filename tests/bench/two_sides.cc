#include "tests/bench/two_sides.h"

#include <sys/resource.h>

#include <stdexcept>

#include "tests/bench/child.h"
#include "tests/support/eventually.h"

namespace kps::bench {
namespace {

using test::Eventually;

struct State {
  Progress progress;
  std::atomic<double> cpu_seconds{0};
};

std::int64_t NowNs() { return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

double CpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void RunSide(const Load& load, const MakeSide& make, State* state, bool measured) {
  Progress& progress = state->progress;
  try {
    const std::unique_ptr<Side> side = make(load, &progress);
    ++progress.sides_ready;
    if (!Eventually([&] { return progress.sides_ready == 2 || progress.sides_failed > 0; })) {
      throw std::runtime_error("the other side was not ready in time");
    }
    if (progress.sides_ready < 2) return;  // the other one has the error
    const double cpu_before = CpuSeconds();
    side->Run();
    if (measured) state->cpu_seconds = CpuSeconds() - cpu_before;
  } catch (...) {
    ++progress.sides_failed;
    throw;
  }
}

}  // namespace

void Progress::Begin() { begin_ns_ = NowNs(); }

void Progress::Arrived(std::uint64_t count, std::uint64_t messages) {
  if (count == messages) end_ns_ = NowNs();
  arrived_.store(count, std::memory_order_release);
}

void Progress::AwaitAll(const Load& load) const {
  std::uint64_t before = 0;
  do {
    before = arrived();
    Eventually([&] { return arrived() >= load.messages || sides_failed > 0; }, load.stalled_after);
  } while (arrived() < load.messages && arrived() > before && sides_failed == 0);
  if (arrived() != load.messages) {
    throw std::runtime_error(std::to_string(arrived()) + " of " + std::to_string(load.messages) + " messages arrived");
  }
}

Cost Carry(const Load& load, const MakeSide& sender, const MakeSide& receiver, Measured measured) {
  const Shared<State> state;
  Child receiving("the receiver", [&] { RunSide(load, receiver, state.get(), measured == Measured::kReceiver); });
  Child sending("the sender", [&] { RunSide(load, sender, state.get(), measured == Measured::kSender); });
  const std::string sender_error = sending.Wait();
  if (!sender_error.empty()) ++state->progress.sides_failed;  // also a crash ends the other's wait
  const std::string receiver_error = receiving.Wait();
  if (!sender_error.empty() || !receiver_error.empty()) {
    throw std::runtime_error(sender_error + (sender_error.empty() || receiver_error.empty() ? "" : "; ") +
                             receiver_error);
  }
  return {state->progress.seconds(), state->cpu_seconds, static_cast<double>(state->progress.latency_p50_ns) / 1e3,
          static_cast<double>(state->progress.latency_p99_ns) / 1e3};
}

}  // namespace kps::bench
