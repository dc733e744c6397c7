// Prints what the host costs, beside libnats alone: README.md says what each row means.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/bare.h"
#include "tests/bench/child.h"
#include "tests/bench/host_sides.h"
#include "tests/bench/set_payload.h"
#include "tests/bench/table.h"
#include "tests/bench/two_sides.h"
#include "tests/support/nats_server.h"

namespace kps::bench {
namespace {

// A run moves no more than this, so that large payloads do not take minutes.
constexpr std::uint64_t kRunBytesMax = 512ull << 20;

struct Settings {
  std::uint64_t messages = 500'000;
  int rounds = 5;
  std::vector<std::size_t> sizes{64, 1024, 16 * 1024};
  int streams = 1000;
  std::uint64_t latency_messages = 5000;
};

constexpr std::uint64_t kPacked = 32;              // messages an envelope, in the rows that have several
constexpr std::uint64_t kLatencyPerSecond = 1000;  // messages
constexpr std::size_t kLatencyBytes = 64;          // of a payload

// A kind of run. The rows of one load run in turns, `rounds` times.
struct Scenario {
  const char* name;
  MakeSide sender;
  MakeSide receiver;
  Measured measured;
};

// The stream of the former run would weigh on this one. In a process of its own: a Child may be forked by a process
// with one thread, and libnats brings more.
void StartOver(const std::string& url) {
  const std::string wrong = Child("the stream", [&] { MakeStream(url); }).Wait();
  if (!wrong.empty()) throw std::runtime_error(wrong);
}

const Scenario kScenarios[] = {
    {"bare publisher", MakeBareSender, MakeBareAsyncReceiver, Measured::kSender},
    {"host, ingress, unconfirmed", MakeUnconfirmedIngress, MakeBareAsyncReceiver, Measured::kSender},
    {"host, ingress", MakeIngress, MakeBareAsyncReceiver, Measured::kSender},
    {"bare subscriber, sync", MakeGeneratorSender, MakeBareSyncReceiver, Measured::kReceiver},
    {"bare subscriber, async", MakeGeneratorSender, MakeBareAsyncReceiver, Measured::kReceiver},
    {"host, egress", MakeGeneratorSender, MakeEgress, Measured::kReceiver},
};

const Scenario kPackedScenarios[] = {
    {"bare publisher, 32 an envelope", MakeBareSender, MakeBareAsyncReceiver, Measured::kSender},
    {"host, unconfirmed, 32 an envelope", MakeUnconfirmedIngress, MakeBareAsyncReceiver, Measured::kSender},
    {"host, ingress, 32 an envelope", MakeIngress, MakeBareAsyncReceiver, Measured::kSender},
};

const Scenario kPackedJetStreamScenarios[] = {
    {"bare JetStream, 32 an envelope", MakeBareJetStreamSender, MakeBareAsyncReceiver, Measured::kSender},
    {"host, JetStream, 32 an envelope", MakeJetStreamIngress, MakeBareAsyncReceiver, Measured::kSender},
};

const Scenario kLatencyScenarios[] = {
    {"bare publisher, SendAsap", MakeBarePacedSender, MakeLatencyReceiver, Measured::kSender},
    {"host, ingress", MakeIngress, MakeLatencyReceiver, Measured::kSender},
};

const Scenario kJetStreamScenarios[] = {
    {"bare JetStream publisher", MakeBareJetStreamSender, MakeBareAsyncReceiver, Measured::kSender},
    {"host, ingress, JetStream", MakeJetStreamIngress, MakeBareAsyncReceiver, Measured::kSender},
};

std::vector<Series> RunRounds(const Settings& settings, const Load& load, std::span<const Scenario> scenarios,
                              const std::function<void()>& before_each) {
  std::vector<Series> rows;
  for (const Scenario& scenario : scenarios) rows.push_back({scenario.name, {}});
  for (int round = 0; round < settings.rounds; ++round) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Scenario& scenario = scenarios[i];
      try {
        before_each();
        rows[i].rounds.push_back(Carry(load, scenario.sender, scenario.receiver, scenario.measured));
      } catch (const std::exception& error) {
        throw std::runtime_error(std::string(scenario.name) + ", " + std::to_string(load.payload_bytes) +
                                 " B: " + error.what());
      }
    }
  }
  return rows;
}

// The host beside libnats, and with confirms beside without.
void PrintIngress(std::span<const Series> rows, const Load& load) {
  PrintRow(rows[0], load, nullptr);
  PrintRow(rows[1], load, rows.data());
  PrintRow(rows[2], load, rows.data());
  PrintRatio(rows[2], rows[1]);
}

void RunLoad(const Settings& settings, const Load& load) {
  const auto rows = RunRounds(settings, load, kScenarios, [] {});
  PrintIngress(rows, load);
  const Series& sync = rows[3];
  const Series& async = rows[4];
  const bool async_is_faster =
      MessagesPerSecond(async, load.messages).median > MessagesPerSecond(sync, load.messages).median;
  PrintRow(sync, load, nullptr);
  PrintRow(async, load, nullptr);
  PrintRow(rows[5], load, async_is_faster ? &async : &sync);
}

void RunPacked(const Settings& settings, const Load& load) {
  PrintIngress(RunRounds(settings, load, kPackedScenarios, [] {}), load);
}

// The second row beside the first.
void RunPair(const Settings& settings, const Load& load, std::span<const Scenario> scenarios,
             const std::function<void()>& before_each) {
  const auto rows = RunRounds(settings, load, scenarios, before_each);
  PrintRow(rows[0], load, nullptr);
  PrintRow(rows[1], load, rows.data());
}

void RunLatency(const Settings& settings, const std::string& url) {
  const Load load{.url = url,
                  .messages = settings.latency_messages,
                  .payload_bytes = kLatencyBytes,
                  .messages_per_second = kLatencyPerSecond};
  const auto rows = RunRounds(settings, load, kLatencyScenarios, [] {});
  std::printf("\nLatency at %s messages a second of %zu B, median of the rounds\n",
              WithCommas(kLatencyPerSecond).c_str(), kLatencyBytes);
  PrintLatency(rows[0], nullptr);
  PrintLatency(rows[1], rows.data());
}

void PrintSetPayload(const Settings& settings) {
  std::vector<double> fresh;
  std::vector<double> unchanged;
  for (const SetPayloadLatency& latency : MeasureSetPayload(settings.streams, settings.rounds)) {
    fresh.push_back(latency.new_ms);
    unchanged.push_back(latency.unchanged_ms);
  }
  std::printf("\nSetPayload through gRPC on loopback, median (low to high)\n");
  const std::string streams = WithCommas(static_cast<std::uint64_t>(settings.streams));
  for (const auto& [what, values] : {std::pair("new", fresh), std::pair("unchanged", unchanged)}) {
    const Spread spread = SpreadOf(values);
    std::printf("%s %s streams: %.1f ms (%.1f to %.1f ms)\n", streams.c_str(), what, spread.median, spread.low,
                spread.high);
  }
}

void Run(const Settings& settings) {
  std::printf("%d rounds in turns, %u CPUs; every message arrived, once and in order\n\n", settings.rounds,
              std::thread::hardware_concurrency());
  PrintHeader();
  // The server must not give up on a receiver that falls behind for a moment.
  const test::NatsServer server("max_pending: 1GB\nwrite_deadline: \"60s\"");
  const auto load_of = [&](const test::NatsServer& of, std::size_t size, std::uint64_t envelope_messages) {
    return Load{.url = of.url(),
                .messages = std::min<std::uint64_t>(settings.messages, kRunBytesMax / size),
                .payload_bytes = size,
                .envelope_messages = envelope_messages};
  };
  for (const std::size_t size : settings.sizes) RunLoad(settings, load_of(server, size, 1));
  for (const std::size_t size : settings.sizes) RunPacked(settings, load_of(server, size, kPacked));
  const test::NatsServer keeping(test::JetStreamConfig() + "\nmax_pending: 1GB\nwrite_deadline: \"60s\"");
  const auto start_over = [&] { StartOver(keeping.url()); };
  for (const std::size_t size : settings.sizes) {
    RunPair(settings, load_of(keeping, size, 1), kJetStreamScenarios, start_over);
  }
  for (const std::size_t size : settings.sizes) {
    RunPair(settings, load_of(keeping, size, kPacked), kPackedJetStreamScenarios, start_over);
  }
  RunLatency(settings, server.url());
  PrintSetPayload(settings);
}

}  // namespace
}  // namespace kps::bench

int main(int argc, char** argv) {
  kps::bench::Settings settings;
  CLI::App app("Measures the host beside libnats alone, over a nats-server on loopback.", "kps-bench");
  app.option_defaults()->always_capture_default();
  app.add_option("--messages", settings.messages, "messages of a run; at most 512 MiB of payload are sent")
      ->check(CLI::Range(1, 100'000'000));
  app.add_option("--rounds", settings.rounds, "runs of each row; medians are printed")->check(CLI::Range(1, 1000));
  app.add_option("--sizes", settings.sizes, "bytes of a payload, separated by commas")
      ->delimiter(',')
      ->check(CLI::Range(16, 512 * 1024));
  app.add_option("--latency-messages", settings.latency_messages, "messages of a run that measures latency")
      ->check(CLI::Range(100, 1'000'000));
  app.add_option("--streams", settings.streams, "streams of a SetPayload")->check(CLI::Range(1, 10'000));
  CLI11_PARSE(app, argc, argv);
  try {
    kps::bench::Run(settings);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kps-bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
