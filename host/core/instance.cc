#include "host/core/instance.h"

#include <utility>

namespace kps {

Instance::Instance(Connector* connector, const StreamSpec* stream, std::string_view position, StreamControl* control,
                   PluginCalls::Mark* mark)
    : control_(control) {
  auto waker = connector->CreateWaker(stream->id);
  if (!waker.ok()) {
    error_ = {"prepare the stream", waker.error()};
    return;
  }
  waker_ = std::move(waker.value());
  control_->AddWaker(waker_.get());
  const auto create = [&](const char* function, auto&& call) {
    const PluginCalls::Scope scope(mark, function);
    return call();
  };
  if (stream->direction == Direction::kIngress) {
    auto made = create("create_consumer", [&] { return connector->CreateConsumer(*stream, position, waker_.get()); });
    if (made.ok()) {
      consumer_.emplace(std::move(made.value()), mark);
    } else {
      error_ = {"create the consumer", made.error()};
    }
  } else {
    auto made = create("create_producer", [&] { return connector->CreateProducer(*stream, waker_.get()); });
    if (made.ok()) {
      producer_.emplace(std::move(made.value()), mark);
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
