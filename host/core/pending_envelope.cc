#include "host/core/pending_envelope.h"

#include "host/core/envelope.h"

namespace kps {

void PendingEnvelope::Unpack(std::string_view envelope) {
  envelope_ = envelope;
  taken_ = 0;
  malformed_ = DecodeEnvelope(envelope, &messages_);
  if (!malformed_.ok()) messages_.assign(1, {envelope, 0});
}

void PendingEnvelope::Clear() {
  envelope_ = {};
  malformed_ = {};
  messages_.clear();
  taken_ = 0;
}

}  // namespace kps
