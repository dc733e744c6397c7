// What the tests of the transports share.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host/core/logger.h"
#include "host/core/transport.h"
#include "host/transport/nats_transport.h"
#include "tests/support/eventually.h"

namespace kps::test {

class RecordingLogger : public Logger {
 public:
  void Log(LogLevel, std::string_view, std::string_view text) override {
    std::lock_guard lock(mutex_);
    lines_.emplace_back(text);
  }
  std::size_t CountWith(const std::string& text) const {
    std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(
        lines_.begin(), lines_.end(), [&](const auto& line) { return line.find(text) != std::string::npos; }));
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

// What must be there: an exception ends the test if it is not.
template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().ToString());
  return std::move(result.value());
}

inline std::string MustReceive(Subscription* subscription) {
  return std::string(Must(subscription->Receive(kDeadline)).envelope);
}

// Everything up to the first error, and the code of that.
inline std::vector<std::string> ReceiveAll(Subscription* subscription, std::chrono::milliseconds timeout, Code* end) {
  std::vector<std::string> received;
  while (true) {
    auto delivery = subscription->Receive(timeout);
    if (!delivery.ok()) {
      *end = delivery.error().code();
      return received;
    }
    received.emplace_back(delivery.value().envelope);
  }
}

inline std::unique_ptr<Transport> ConnectTo(NatsOptions options, Logger* logger) {
  auto transport = Must(MakeNatsTransport(std::move(options), logger));
  if (!Eventually([&] { return transport->Connected(); })) throw std::runtime_error(transport->DisconnectReason());
  return transport;
}

}  // namespace kps::test
