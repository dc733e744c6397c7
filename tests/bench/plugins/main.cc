// Prints what each plugin of a data service carries beside the same client library without a plugin: README.md.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <thread>

#include "tests/bench/child.h"
#include "tests/bench/plugins/plugin_side.h"
#include "tests/bench/plugins/service.h"
#include "tests/bench/table.h"

namespace kps::bench {

std::vector<std::unique_ptr<Service>> MakeServices() {
  std::vector<std::unique_ptr<Service>> services;
#ifdef KPS_WITH_HTTP
  services.push_back(MakeHttp());
#endif
#ifdef KPS_WITH_KAFKA
  services.push_back(MakeKafka());
#endif
#ifdef KPS_WITH_MQTT
  services.push_back(MakeMqtt());
#endif
#ifdef KPS_WITH_NATS
  services.push_back(MakeNats());
#endif
  return services;
}

namespace {

struct Settings {
  int rounds = 5;
  double share = 1;
  std::size_t bytes = 64;
  std::vector<std::string> plugins{};  // empty: all
};

// Read by the process that has forked the one that measures.
class SharedStopwatch : public Stopwatch {
 public:
  void Begin() override { *begin_.get() = Now(); }
  void End() override { *end_.get() = Now(); }
  Cost cost() const {
    return {.seconds = static_cast<double>(end_->ns - begin_->ns) / 1e9,
            .cpu_seconds = static_cast<double>(end_->cpu_us - begin_->cpu_us) / 1e6};
  }

 private:
  struct Time {
    std::int64_t ns = 0;
    std::int64_t cpu_us = 0;  // of this process
  };
  static Time Now() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto us = [](const timeval& time) { return time.tv_sec * 1'000'000 + time.tv_usec; };
    return {std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1),
            us(usage.ru_utime) + us(usage.ru_stime)};
  }
  const Shared<Time> begin_;
  const Shared<Time> end_;
};

void Require(Child* child) {
  if (const std::string wrong = child->Wait(); !wrong.empty()) throw std::runtime_error(wrong);
}

Cost Receive(Service* service, const Size& size, const std::function<void(Stopwatch*)>& receive) {
  Child fill("fill", [&] { service->Fill(size); });
  Require(&fill);
  SharedStopwatch stopwatch;
  Child receiver("receive", [&] { receive(&stopwatch); });
  Child sender("send", [&] { service->SendMeanwhile(size); });
  Require(&receiver);
  Require(&sender);
  return stopwatch.cost();
}

Cost Send(const std::function<void(Stopwatch*)>& send) {
  SharedStopwatch stopwatch;
  Child sender("send", [&] { send(&stopwatch); });
  Require(&sender);
  return stopwatch.cost();
}

void Print(const char* plugin, const char* direction, const Series& bare, const Series& by_plugin,
           std::size_t messages) {
  const Spread ratio = Ratio(by_plugin, bare);
  std::printf("%-8s %-8s %9s %14s %14s   %.2f (%.2f to %.2f)   %8.1f %8.1f\n", plugin, direction,
              WithCommas(messages).c_str(),
              WithCommas(static_cast<std::uint64_t>(MessagesPerSecond(bare, messages).median)).c_str(),
              WithCommas(static_cast<std::uint64_t>(MessagesPerSecond(by_plugin, messages).median)).c_str(),
              ratio.median, ratio.low, ratio.high, CpuSecondsPerMillion(bare, messages).median,
              CpuSecondsPerMillion(by_plugin, messages).median);
  std::fflush(stdout);
}

void Run(const Settings& settings) {
  std::printf("messages of %zu B, %d rounds in turns, %u CPUs\n\n", settings.bytes, settings.rounds,
              std::thread::hardware_concurrency());
  std::printf("%-8s %-8s %9s %14s %14s   %s\n", "plugin", "", "messages", "bare, msg/s", "plugin, msg/s",
              "ratio, median (low to high)   CPU s / million: bare, plugin");
  for (const auto& service : MakeServices()) {
    const auto& wanted = settings.plugins;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), service->plugin()) == wanted.end()) continue;
    const auto size_of = [&](std::size_t messages) {
      return Size{static_cast<std::size_t>(static_cast<double>(messages) * settings.share), settings.bytes};
    };
    const Size in = size_of(service->IngressMessages());
    const Size out = size_of(service->EgressMessages());
    Series bare_in, plugin_in, bare_out, plugin_out;
    for (int round = 0; round < settings.rounds; ++round) {
      Service* const s = service.get();
      bare_in.rounds.push_back(Receive(s, in, [&](Stopwatch* watch) { s->ReceiveBare(in, watch); }));
      plugin_in.rounds.push_back(Receive(s, in, [&](Stopwatch* watch) { ReceiveByPlugin(*s, in, watch); }));
      bare_out.rounds.push_back(Send([&](Stopwatch* watch) { s->SendBare(out, watch); }));
      plugin_out.rounds.push_back(Send([&](Stopwatch* watch) { SendByPlugin(*s, out, watch); }));
    }
    Print(service->plugin(), "INGRESS", bare_in, plugin_in, in.messages);
    Print(service->plugin(), "EGRESS", bare_out, plugin_out, out.messages);
  }
}

}  // namespace
}  // namespace kps::bench

int main(int argc, char** argv) {
  kps::bench::Settings settings;
  CLI::App app("Measures the plugins of data services beside their client libraries alone.", "kps-bench-plugins");
  app.option_defaults()->always_capture_default();
  app.add_option("--rounds", settings.rounds, "runs of each row; medians are printed")->check(CLI::Range(1, 1000));
  app.add_option("--share", settings.share, "of the messages of a run")->check(CLI::Range(0.001, 100.0));
  app.add_option("--bytes", settings.bytes, "of a message")->check(CLI::Range(0, 100'000));
  app.add_option("--plugins", settings.plugins, "those to measure, separated by commas; by default all")
      ->delimiter(',');
  CLI11_PARSE(app, argc, argv);
  try {
    kps::bench::Run(settings);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kps-bench-plugins: %s\n", error.what());
    return 1;
  }
  return 0;
}
