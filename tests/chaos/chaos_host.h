// A host that is killed, stopped and asked how it is.
#pragma once

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "tests/e2e/host_process.h"
#include "tests/support/eventually.h"
#include "tests/support/nats_server.h"

namespace kps::chaos {

// How a transport of the host delivers: the variants of each run.
struct Delivery {
  std::string name;
  std::vector<std::string> arguments;  // of the host
  std::string server_config;
  bool keeps = false;  // what is published, each message once
};
inline void PrintTo(const Delivery& delivery, std::ostream* out) { *out << delivery.name; }
inline Delivery CoreNats() { return {"core", {}, "", false}; }
// The server keeps its files below the folder in which it runs, also over a kill.
inline Delivery JetStream() { return {"JetStream", {"--delivery", "at-least-once"}, test::JetStreamConfig(), true}; }

// The most that one loss of the host or its connection may double: what a window holds (64 batches of 512 messages).
inline constexpr std::uint64_t kInFlightMax = 64 * 512;

// Whether `count` reaches so many: it is waited for as long as it grows.
template <typename Count>
bool GoesOnUntil(std::uint64_t enough, Count count) {
  for (std::uint64_t now = count(); now < enough; now = count()) {
    if (!test::Eventually([&] { return count() > now; })) return false;
  }
  return true;
}

class ChaosHost {
 public:
  // Started, and listening.
  ChaosHost(const test::NatsServer& broker, const std::string& plugin, const Delivery& delivery,
            const std::string& state_dir);

  void Kill();
  int Stop();  // SIGTERM; the exit code
  void Pause();
  void Resume();

  void Set(const test::TempFolder& folder, const std::vector<std::string>& streams);
  bool Ready();
  // The sum of all samples of a metric whose labels have this text; 0 when there is none.
  double Metric(const std::string& name, const std::string& label = "");
  // Everything that was accepted is accounted for, and nothing is on its way any more.
  bool IsSettled();

  test::HostProcess& process() { return *process_; }

 private:
  std::string Url(const std::string& path);

  std::unique_ptr<test::HostProcess> process_;
};

}  // namespace kps::chaos
