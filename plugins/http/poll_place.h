// What a poll has seen last: the position of a stream that polls.
#ifndef KPS_PLUGINS_HTTP_POLL_PLACE_H
#define KPS_PLUGINS_HTTP_POLL_PLACE_H

#include <optional>
#include <string>

namespace kps::plugins {

// The 128 bits of FNV-1a, as 32 hexadecimal digits.
std::string hash_of(const std::string& bytes);

struct PollPlace {
  std::string url_hash;   // validators of one address say nothing about another
  std::string body_hash;  // empty: nothing has been read
  std::string etag;
  std::string last_modified;

  // Validators that would make it too long are left out: then the hash alone tells what is new.
  std::string position() const;
  static std::optional<PollPlace> parse(const std::string& position);
};

}  // namespace kps::plugins

#endif
