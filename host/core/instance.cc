#include "host/core/instance.h"

#include <utility>

namespace kps {

Instance::Instance(Connector* connector, const StreamSpec* stream, StreamControl* control, PluginCalls::Mark* mark)
    : connector_(connector), stream_(stream), control_(control), mark_(mark) {
  auto waker = connector->CreateWaker(stream->id);
  if (!waker.ok()) {
    error_ = {"prepare the stream", waker.error()};
    return;
  }
  waker_ = std::move(waker.value());
  control_->AddWaker(waker_.get());
}

void Instance::Make(std::string_view position) {
  if (!error_.error.ok()) return;
  if (stream_->direction == Direction::kIngress) {
    const PluginCalls::Scope scope(mark_, "create_consumer");
    auto made = connector_->CreateConsumer(*stream_, position, waker_.get());
    if (made.ok()) {
      consumer_.emplace(std::move(made.value()), mark_);
    } else {
      error_ = {"create the consumer", made.error()};
    }
  } else {
    const PluginCalls::Scope scope(mark_, "create_producer");
    auto made = connector_->CreateProducer(*stream_, waker_.get());
    if (made.ok()) {
      producer_.emplace(std::move(made.value()), mark_);
    } else {
      error_ = {"create the producer", made.error()};
    }
  }
}

Instance::~Instance() {
  consumer_.reset();
  producer_.reset();
  if (waker_) control_->RemoveWaker(waker_.get());
}

}  // namespace kps
