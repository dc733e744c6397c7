// A running stream goes over to another connector, on a thread of its own: what is asked, and what has come of it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "host/core/error.h"
#include "host/core/plugin.h"

namespace kps {

class StreamMove {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class Mode {
    kIfItWorks,  // a new instance is tried: where it does not work, the stream goes on with the former one
    kAnyway,     // what fails then is an error of the stream
  };
  enum class Result { kMoved, kRefused, kStands };
  struct Outcome {
    Result result = Result::kStands;
    Error error;                        // why it was refused
    std::chrono::nanoseconds pause{0};  // in which the stream carried nothing
  };

  StreamMove(std::shared_ptr<Connector> connector, Mode mode, TimePoint deadline)
      : connector_(std::move(connector)), deadline_(deadline), anyway_(mode == Mode::kAnyway) {}

  const std::shared_ptr<Connector>& connector() const { return connector_; }
  TimePoint deadline() const { return deadline_; }

 private:
  friend class StreamControl;

  const std::shared_ptr<Connector> connector_;
  const TimePoint deadline_;
  bool anyway_;                     // under the mutex of the stream's control, as what follows
  std::optional<Outcome> outcome_;  // set once
};

}  // namespace kps
