// A real prometheus-pushgateway on 127.0.0.1.
#pragma once

#include <string>

#include "tests/support/process.h"

namespace kps::test {

class PushgatewayProcess {
 public:
  // Port 0: one that the system picks. Ready when the constructor returns; address() is empty when it did not start.
  explicit PushgatewayProcess(int port = 0);

  const std::string& address() const { return address_; }  // HOST:PORT
  int port() const;
  // What it tells Prometheus; "" when it does not answer.
  std::string Metrics() const;

 private:
  Process process_;
  std::string address_;
};

}  // namespace kps::test
