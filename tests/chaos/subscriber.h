// A subscriber that has nothing of the host's: libnats and a list of what came. It keeps its connection, so the server
// has to live as long as it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kps::chaos {

class Subscriber {
 public:
  struct Counts {
    std::uint64_t received = 0;
    std::uint64_t distinct = 0;
    std::uint64_t disordered = 0;  // came for the first time after a later one
    std::uint64_t end = 0;         // one more than the highest number
    std::uint64_t duplicates() const { return received - distinct; }
    std::uint64_t missing() const { return end - distinct; }
  };

  // The numbers of messages, from 0, by their payloads.
  using NumberOf = std::function<std::uint64_t(std::string_view payload)>;
  static std::uint64_t Generated(std::string_view payload);
  static std::uint64_t Line(std::string_view payload);

  // What is published; subscribed when it returns, or an exception. `kept`: what a JetStream stream has kept of it,
  // from the first message on, once there is one.
  Subscriber(const std::string& url, const std::string& channel, bool kept, NumberOf number_of);
  ~Subscriber();

  Counts Look() const;
  // Takes away what has come here from a JetStream stream.
  void PurgeReceived(const std::string& stream);
  // Has the highest number come so far?
  bool Reaches(std::uint64_t end) const;

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace kps::chaos
