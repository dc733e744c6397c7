// Where a webhook listens.
#ifndef KPS_PLUGINS_HTTP_LISTEN_ADDRESS_H
#define KPS_PLUGINS_HTTP_LISTEN_ADDRESS_H

#include <string>

namespace kps::plugins {

// An open socket that listens at "127.0.0.1:8080" or "[::1]:8080"; port 0: one that the system chooses. The port can be
// shared with another socket of this user (SO_REUSEPORT): that is how a new consumer takes over from the old one
// without a moment in which nobody listens. Throws Failure: INVALID_ARGUMENT for a text that is no such address,
// PERMISSION_DENIED for a port below 1024, UNAVAILABLE for one that another program has. The socket is the caller's.
int listen_at(const std::string& address);

// Its address with the port that the system has chosen.
std::string address_of(int socket);

}  // namespace kps::plugins

#endif
