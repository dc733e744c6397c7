// What JetStream says about single messages. Internal to host/transport.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace kps {

// The stream's word on a message that was published.
struct PubAck {
  bool stored = false;
  int error_code = 0;  // of JetStream; 0: none
  std::string reason;  // when it is not stored
};
// Whatever is not clearly a yes is a no.
PubAck ReadPubAck(std::string_view text);

// Where a message that was delivered stands, as its reply subject says.
struct DeliveredAs {
  std::uint64_t stream_sequence = 0;
  std::uint64_t consumer_sequence = 0;  // of the delivery: 1, 2, 3, ... of its consumer
  std::uint32_t attempt = 0;
  std::int64_t stored_at_ns = 0;
};
// Nothing: this is not the reply subject of a delivery.
std::optional<DeliveredAs> ReadDeliveredAs(std::string_view reply);

// The reply subject that another message of the same consumer would have.
std::string ReplyOfOther(std::string_view reply, std::uint64_t stream_sequence);

// Numbers, as ranges: what is dense takes little memory. With too many ranges, the lowest are forgotten.
class NumberSet {
 public:
  void Add(std::uint64_t number);
  bool Contains(std::uint64_t number) const;
  void Clear() { ranges_.clear(); }

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // first -> last
};

}  // namespace kps
