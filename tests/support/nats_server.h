// A real nats-server on 127.0.0.1, on a port that the system chose and that it keeps over restarts.
#pragma once

#include <sys/types.h>

#include <string>

namespace kps::test {

// For JetStream with files that outlive a Stop; `limits`: more of the same block.
inline std::string JetStreamConfig(const std::string& limits = "") {
  return "jetstream { store_dir: \"$FOLDER\"\n" + limits + "\n}";
}

class NatsServer {
 public:
  // Started and ready, or an exception. `config`: lines for its configuration file, in which $FOLDER is a folder of its
  // own that outlives a Stop.
  explicit NatsServer(const std::string& config = "");
  NatsServer(const NatsServer&) = delete;
  NatsServer& operator=(const NatsServer&) = delete;
  ~NatsServer();

  void Stop();                                // at once, as a crash does
  void Start();                               // after Stop: ready again, on the same port
  void Configure(const std::string& config);  // for the next Start
  // It hangs: its connections stay open and nothing is answered.
  void Pause();
  void Resume();

  int port() const { return port_; }
  std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }

 private:
  bool TryStart();
  int ReadPort() const;  // 0: not ready
  bool Exited();

  std::string folder_;
  pid_t pid_ = -1;
  int port_ = 0;
};

}  // namespace kps::test
