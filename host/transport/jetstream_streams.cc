#include "host/transport/jetstream_streams.h"

namespace kps {

Error JetStreamStreams::WithReason(Error error, std::uint64_t refusals_before) const {
  const std::string reason = connection_->refusals().NamedIn(error.message(), refusals_before);
  return reason.empty() ? error : Error(error.code(), error.message() + ". " + reason);
}

Result<StreamBinding> JetStreamStreams::Bind(NatsLink& link, const std::string& channel) {
  const std::uint64_t before = connection_->refusals().count();
  auto bound = BindStream(link, options(), channel);
  if (!bound.ok()) return WithReason(bound.error(), before);
  MutexLock lock(mutex_);
  durability_[channel] = bound.value().durability;
  return bound;
}

Result<ConsumerBinding> JetStreamStreams::Bind(NatsLink& link, const StreamBinding& stream, const std::string& channel,
                                               const std::string& consumer) {
  const std::uint64_t before = connection_->refusals().count();
  auto bound = BindConsumer(link, options(), stream.name, channel, consumer);
  if (!bound.ok()) return WithReason(bound.error(), before);
  return bound;
}

std::string JetStreamStreams::Durability(const std::string& channel) const {
  MutexLock lock(mutex_);
  const auto found = durability_.find(channel);
  return found == durability_.end() ? "" : found->second;
}

}  // namespace kps
