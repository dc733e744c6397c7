// A real mosquitto on 127.0.0.1, on a port that was free and that it keeps over restarts.
#pragma once

#include <memory>
#include <string>

#include "tests/support/process.h"

namespace kps::test {

class MosquittoServer {
 public:
  // Started and ready, or an exception. `config`: lines for its configuration file, in which $FOLDER is a folder of its
  // own that outlives a Stop. Without a line allow_anonymous there, everybody may log in.
  explicit MosquittoServer(const std::string& config = "");
  MosquittoServer(const MosquittoServer&) = delete;
  MosquittoServer& operator=(const MosquittoServer&) = delete;
  ~MosquittoServer();

  void Stop();   // it stores its sessions first
  void Start();  // after Stop

  int port() const { return port_; }
  const std::string& folder() const { return folder_; }
  std::string url() const { return "mqtt://127.0.0.1:" + std::to_string(port_); }

 private:
  bool TryStart();
  std::string Log() const;

  std::string config_;
  std::string folder_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace kps::test
