#include "tests/faults/simulation.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace kps::faults {
namespace {

constexpr std::size_t kBrokenMax = 5;
// Beyond this the stream does not even stop when it is told to.
constexpr std::size_t kHangs = 2 * Simulation::kOperationsMax;

constexpr std::array<const char*, static_cast<std::size_t>(Fault::kCount)> kNames{"disconnect",
                                                                                  "drop",
                                                                                  "double arrival",
                                                                                  "slow",
                                                                                  "publish fails",
                                                                                  "full",
                                                                                  "forbidden",
                                                                                  "open fails",
                                                                                  "receive fails",
                                                                                  "delivered twice",
                                                                                  "ack lost",
                                                                                  "overflow",
                                                                                  "create fails",
                                                                                  "read fails",
                                                                                  "nothing",
                                                                                  "source ack fails",
                                                                                  "produce fails",
                                                                                  "takes less",
                                                                                  "flush fails",
                                                                                  "store fails",
                                                                                  "stop"};

}  // namespace

const char* FaultName(Fault fault) { return kNames[static_cast<std::size_t>(fault)]; }

bool Operation::operator==(const Operation& other) const {
  return std::string_view(name) == other.name && a == other.a && b == other.b && at == other.at;
}

Simulation::Simulation(std::uint64_t seed) : seed_(seed), random_(seed), faulty_operations_(100 + Below(500)) {
  constexpr std::uint64_t kOneIn[] = {0, 0, 100, 30, 8};
  for (std::uint64_t& one_in : one_in_) one_in = kOneIn[Below(std::size(kOneIn))];
  operations_.reserve(1024);
}

// splitmix64: the same on every machine, which the distributions of <random> are not.
std::uint64_t Simulation::Below(std::uint64_t n) {
  random_ += 0x9E3779B97F4A7C15U;
  std::uint64_t z = random_;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return (z ^ (z >> 31U)) % n;
}

bool Simulation::Happens(Fault fault) {
  const auto kind = static_cast<std::size_t>(fault);
  if (dead_ || one_in_[kind] == 0 || operations_.size() > faulty_operations_ || !OneIn(one_in_[kind])) return false;
  ++counts_[kind];
  ++faults_;
  Note(FaultName(fault));
  return true;
}

Error Simulation::Transient(const char* doing) {
  constexpr Code kCodes[] = {Code::kUnavailable, Code::kDeadlineExceeded, Code::kResourceExhausted, Code::kAborted};
  Error error(kCodes[Below(std::size(kCodes))], doing);
  if (OneIn(8)) error.set_retry_after(milliseconds(Below(5000)));
  return error;
}

Error Simulation::AnyError(const char* doing) {
  constexpr Code kCodes[] = {Code::kUnknown, Code::kUnauthenticated, Code::kPermissionDenied, Code::kInternal};
  if (!OneIn(4)) return Transient(doing);
  return Error(kCodes[Below(std::size(kCodes))], doing);
}

std::int64_t Simulation::NowNs() const { return 1'790'000'000'000'000'000 + now_.time_since_epoch().count(); }

bool Simulation::WaitUntil(CondVar*, Mutex* mutex, Time deadline) const {
  // The port is const because a clock has nothing to change. This one passes.
  auto* const self = const_cast<Simulation*>(this);
  mutex->unlock();
  const bool woken = self->MayInterrupt();
  mutex->lock();
  if (woken) return true;
  self->PassUntil(deadline);
  return false;
}

void Simulation::PassUntil(Time time) { now_ = std::max(now_, time); }

void Simulation::Call(const char* name, std::int64_t a, std::int64_t b) {
  PassUntil(now_ + std::chrono::microseconds(Below(100)));
  Note(name, a, b);
  MayInterrupt();
}

void Simulation::Note(const char* name, std::int64_t a, std::int64_t b) { operations_.push_back({name, a, b, now_}); }

bool Simulation::MayInterrupt() {
  if (operations_.size() > kHangs) {
    for (std::size_t i = operations_.size() - 20; i < operations_.size(); ++i) {
      std::fprintf(stderr, "%s %lld %lld\n", operations_[i].name, static_cast<long long>(operations_[i].a),
                   static_cast<long long>(operations_[i].b));
    }
    std::fprintf(stderr, "the stream does not stop: KPS_SEED=%llu\n", static_cast<unsigned long long>(seed_));
    std::abort();
  }
  if (interrupting_ || !open_ || dead_) return false;
  const bool give_up = operations_.size() > kOperationsMax;
  if (!give_up && !Happens(Fault::kStop)) return false;
  interrupting_ = true;
  interrupt(give_up);
  interrupting_ = false;
  return true;
}

void Simulation::Broken(const std::string& what) {
  Note("BROKEN", static_cast<std::int64_t>(broken_.size()));
  if (broken_.size() < kBrokenMax) broken_.push_back(what);
}

void Simulation::Open() {
  open_ = true;
  open_.notify_all();
}

void Simulation::AwaitOpen() { open_.wait(false); }
void Simulation::Close() { open_ = false; }

}  // namespace kps::faults
