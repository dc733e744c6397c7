// The beginning and the end of a TCP connection, without blocking for longer than asked.
#ifndef KPS_PLUGINS_MQTT_MQTT_CONNECT_H
#define KPS_PLUGINS_MQTT_MQTT_CONNECT_H

#include <chrono>
#include <string>

namespace kps::plugins {

// Opens a TCP connection and closes it again: libmosquitto's own connect (2.0.11) blocks for as long as the system
// does, minutes where nobody answers. Returns empty when one of the host's addresses was reached, else why none was.
// False in `*woken`: `wake_fd` did not become readable.
std::string probe_tcp(const std::string& host, int port, int wake_fd, std::chrono::milliseconds timeout, bool* woken);

// Closes the socket, the last of its connection, once the other side has done so, or after half a second. Where
// something comes that nobody reads, the system would reset the connection, and what was sent last would be lost with
// it.
void end_connection(int socket);

}  // namespace kps::plugins

#endif
