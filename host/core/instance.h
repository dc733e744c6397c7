// A consumer or a producer of the plugin with what it needs. It is made, used and destroyed on one thread.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "host/core/error.h"
#include "host/core/marked_plugin.h"
#include "host/core/plugin.h"
#include "host/core/plugin_calls.h"
#include "host/core/stream.h"
#include "host/core/stream_control.h"

namespace kps {

// What could not be done, as it ends the sentence "cannot ...".
struct InstanceError {
  const char* doing = "";
  Error error;
};

class Instance {
 public:
  // All of them outlive it. With its waker.
  Instance(Connector* connector, const StreamSpec* stream, StreamControl* control, PluginCalls::Mark* mark);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // Has the plugin make it; a consumer starts at `position`. Once.
  void Make(std::string_view position);
  // OK: all went well so far.
  const InstanceError& error() const { return error_; }
  Consumer* consumer() { return consumer_ ? &*consumer_ : nullptr; }
  Producer* producer() { return producer_ ? &*producer_ : nullptr; }
  // A move interrupts its calls.
  void BeginToCarry() { control_->SetCarrier(waker_.get()); }
  // Its calls return soon. Any thread.
  void Wake() {
    if (waker_) waker_->Wake();
  }

 private:
  Connector* const connector_;
  const StreamSpec* const stream_;
  StreamControl* const control_;
  PluginCalls::Mark* const mark_;
  InstanceError error_;
  std::unique_ptr<Waker> waker_;
  std::optional<MarkedConsumer> consumer_;  // one of the two
  std::optional<MarkedProducer> producer_;
};

}  // namespace kps
