// Pushes a source's figures to a Prometheus Pushgateway again and again, on a thread of its own.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "host/core/error.h"
#include "host/core/logger.h"
#include "host/core/metric_family.h"

namespace kps {

class Pushgateway {
 public:
  struct Options {
    std::string address;  // HOST:PORT, or http://HOST:PORT with a path if it has one
    std::string job;
    std::chrono::milliseconds interval{60'000};
    std::chrono::milliseconds timeout{5'000};       // of one push
    std::chrono::milliseconds last_timeout{2'000};  // of the one at the end
  };

  // Pushes at once, so that a wrong address shows now, and then at each interval. A gateway that is away blocks nobody
  // and costs one line in the log when it goes, one when it is back. `source` and `logger` outlive the object.
  // INVALID_ARGUMENT: `address` is none.
  static Result<std::unique_ptr<Pushgateway>> Start(Options options, const MetricsSource* source, Logger* logger);
  // Pushes once more; ends at most a second later than last_timeout.
  ~Pushgateway();

 private:
  class Impl;
  explicit Pushgateway(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace kps
