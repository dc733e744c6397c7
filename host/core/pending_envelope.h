// One received envelope, of which a producer has not taken every message yet.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "host/core/error.h"
#include "host/core/message.h"

namespace kps {

class PendingEnvelope {
 public:
  // All of its messages are pending. What is no envelope is itself the one that is: malformed() says why. The bytes
  // are the caller's, and stay until they are taken or others are unpacked.
  void Unpack(std::string_view envelope);
  void Clear();
  // The leading ones are dealt with.
  void Take(std::size_t count) { taken_ += count; }

  std::string_view envelope() const { return envelope_; }
  const Error& malformed() const { return malformed_; }
  bool empty() const { return messages_.empty(); }  // there was none in it
  std::size_t left() const { return messages_.size() - taken_; }
  std::span<const MessageView> rest() const { return std::span(messages_).subspan(taken_); }

 private:
  std::string_view envelope_;
  Error malformed_;
  std::vector<MessageView> messages_;  // views into it
  std::size_t taken_ = 0;
};

}  // namespace kps
