// The envelopes that a producer was not yet given, or has not taken every message of, in their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/error.h"
#include "host/core/message.h"
#include "host/core/transport.h"

namespace kps {

class PendingDeliveries {
 public:
  // Its messages are pending, behind those of the others. What is no envelope is itself the one message. The bytes are
  // the caller's, and stay until they are taken or Clear is called.
  void Add(const Delivery& delivery);
  void Clear();

  // None was added, or there is no message in any.
  bool empty() const { return messages_.empty(); }
  std::size_t left() const { return messages_.size() - taken_; }  // messages
  std::size_t bytes() const { return bytes_; }                    // of the envelopes that were added

  // The next message is no envelope: why. OK: it comes from one, or nothing is left.
  const Error& malformed() const;
  // The envelope of the next message. Only when something is left.
  std::string_view envelope() const { return items_[first_].envelope; }
  // The next messages, up to one that is malformed.
  std::span<const MessageView> rest() const;
  // The leading ones are dealt with.
  void Take(std::size_t count);
  // The receipt of the last envelope that is dealt with whole; 0: none of them is.
  std::uint64_t handled_receipt() const { return handled_receipt_; }

  // Copies of the envelopes that are not dealt with whole.
  struct Copy {
    std::string envelope;
    std::uint64_t receipt;
  };
  std::vector<Copy> CopyRest() const;

 private:
  struct Item {
    std::string_view envelope;
    std::uint64_t receipt;
    std::size_t end;  // of its messages
    Error malformed;
  };

  void PassHandled();

  std::vector<Item> items_;
  std::vector<MessageView> messages_;  // of all of them: views into the envelopes
  std::size_t first_ = 0;              // item that is not dealt with whole
  std::size_t taken_ = 0;              // messages
  std::size_t bytes_ = 0;
  std::size_t malformed_ = 0;  // items
  std::uint64_t handled_receipt_ = 0;
};

}  // namespace kps
