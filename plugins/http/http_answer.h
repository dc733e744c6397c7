// What a server answered, and what follows from it.
#ifndef KPS_PLUGINS_HTTP_HTTP_ANSWER_H
#define KPS_PLUGINS_HTTP_HTTP_ANSWER_H

#include <cstdint>
#include <kps/plugin.hpp>
#include <string>

namespace kps::plugins {

struct Answer {
  long status = 0;
  std::string body;
  std::string etag;           // as it came, quotes included; empty: none
  std::string last_modified;  // as it came; empty: none
  std::string location;
  uint32_t retry_after_ms = 0;

  bool good() const { return status >= 200 && status < 300; }
  // It refuses this body, not whoever sends it, nor the address: 400, 409, 413, 415, 422 and the like.
  bool refuses_body() const;
};

// For an answer that is not good. `what` names the request, `secret` is kept out of the text (empty: there is none).
// refuses_body() gives `code_of_refusal`.
plugin::Failure failure_of(const Answer& answer, const std::string& what, const std::string& secret,
                           kps_code code_of_refusal);

}  // namespace kps::plugins

#endif
