// A real nats-server for tests, on 127.0.0.1.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace kps::testing {

// True as soon as `condition` is; false when the time is up.
bool WaitFor(const std::function<bool()>& condition, std::chrono::milliseconds timeout = std::chrono::seconds(10));

class NatsServer {
 public:
  enum class State { kStarted, kStopped };
  // Takes a free port. `arguments` are added to the server's command line. Throws when it does not come up.
  explicit NatsServer(State state = State::kStarted, std::vector<std::string> arguments = {});
  ~NatsServer();
  NatsServer(const NatsServer&) = delete;
  NatsServer& operator=(const NatsServer&) = delete;

  std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }
  void Start();  // on the same port, once it listens
  void Stop();   // SIGKILL: nothing is said to the clients
  void Restart();
  void Pause();
  void Resume();

 private:
  bool TryStart();

  const std::vector<std::string> arguments_;
  int port_ = 0;
  pid_t pid_ = 0;  // 0: not running
};

}  // namespace kps::testing
