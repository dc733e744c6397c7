// What libnats and servers answer, as a plugin says it.
#ifndef KPS_PLUGINS_NATS_NATS_ERRORS_H
#define KPS_PLUGINS_NATS_NATS_ERRORS_H

#include <nats/nats.h>

#include <kps/plugin.hpp>
#include <string>

namespace kps::plugins {

// A failure that one thread leaves to another: copies of an exception share its text.
struct NatsReason {
  explicit NatsReason(const plugin::Failure& failure) : code(failure.code()), text(failure.what()) {}
  plugin::Failure failure() const { return plugin::Failure(code, text); }

  kps_code code;
  std::string text;
};

// Of a call of libnats that did not return NATS_OK. `doing` names the act and the server.
plugin::Failure library_failure(natsStatus status, const std::string& doing);

// Throws it, for a call that fails where its arguments are wrong or memory is lacking.
void require(natsStatus status, const char* doing);

// Of natsConnection_Connect.
plugin::Failure connect_failure(natsStatus status, const std::string& doing);

// Of JetStream: the HTTP-like code, the err_code (jsErrCode) and the description of its answer.
plugin::Failure jetstream_failure(int code, int err_code, const std::string& description, const std::string& doing);

}  // namespace kps::plugins

#endif
