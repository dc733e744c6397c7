#include "mqtt_errors.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <cerrno>
#include <cstring>

namespace kps::plugins {

using plugin::Failure;

Failure library_failure(int mosq_error, const std::string& doing) {
  const std::string text = doing + ": ";
  switch (mosq_error) {
    case MOSQ_ERR_ERRNO: return plugin::errno_failure(errno, doing);
    case MOSQ_ERR_NOMEM: return Failure(KPS_RESOURCE_EXHAUSTED, text + "out of memory");
    case MOSQ_ERR_TLS:
      return Failure(KPS_UNAVAILABLE, text + "TLS failed: look at the broker's certificate, caFile and the port");
    case MOSQ_ERR_CONN_LOST: return Failure(KPS_UNAVAILABLE, text + "the broker closed the connection");
    case MOSQ_ERR_KEEPALIVE: return Failure(KPS_UNAVAILABLE, text + "the broker does not answer");
    case MOSQ_ERR_PAYLOAD_SIZE:
    case MOSQ_ERR_OVERSIZE_PACKET:
      return Failure(KPS_INVALID_ARGUMENT, text + "the message is larger than the broker takes");
    case MOSQ_ERR_QOS_NOT_SUPPORTED:
      return Failure(KPS_FAILED_PRECONDITION, text + "the broker does not support this qos; use a lower one");
    case MOSQ_ERR_RETAIN_NOT_SUPPORTED:
      return Failure(KPS_FAILED_PRECONDITION, text + "the broker does not support retained messages; unset \"retain\"");
    case MOSQ_ERR_INVAL:
    case MOSQ_ERR_MALFORMED_UTF8: return Failure(KPS_INVALID_ARGUMENT, text + mosquitto_strerror(mosq_error));
    default: return Failure(KPS_UNAVAILABLE, text + mosquitto_strerror(mosq_error));
  }
}

Failure connack_failure(int reason, bool v5, const std::string& doing) {
  // Who is not authorized to connect has to log in otherwise.
  if (v5) return reason_failure(reason == MQTT_RC_NOT_AUTHORIZED ? MQTT_RC_BAD_USERNAME_OR_PASSWORD : reason, doing);
  const std::string text = doing + ": ";
  switch (reason) {
    case CONNACK_REFUSED_PROTOCOL_VERSION:
      return Failure(KPS_FAILED_PRECONDITION, text + "the broker does not speak this version of MQTT");
    case CONNACK_REFUSED_IDENTIFIER_REJECTED:
      return Failure(KPS_INVALID_ARGUMENT, text + "the broker refuses the client id; set another \"clientId\"");
    case CONNACK_REFUSED_BAD_USERNAME_PASSWORD:
    case CONNACK_REFUSED_NOT_AUTHORIZED:
      return Failure(KPS_UNAUTHENTICATED, text + "the broker refuses the username and password");
    default: return Failure(KPS_UNAVAILABLE, text + mosquitto_connack_string(reason));
  }
}

Failure reason_failure(int reason, const std::string& doing) {
  const std::string text = doing + ": ";
  switch (reason) {
    case MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION:
    case CONNACK_REFUSED_PROTOCOL_VERSION:  // from a broker that answers as 3.1.1 does
      return Failure(KPS_FAILED_PRECONDITION, text + "the broker does not speak MQTT 5: set \"protocol\" to \"3.1.1\"");
    case MQTT_RC_CLIENTID_NOT_VALID:
      return Failure(KPS_INVALID_ARGUMENT, text + "the broker refuses the client id; set another \"clientId\"");
    case CONNACK_REFUSED_BAD_USERNAME_PASSWORD:
    case CONNACK_REFUSED_NOT_AUTHORIZED:
    case MQTT_RC_BAD_USERNAME_OR_PASSWORD:
    case MQTT_RC_BAD_AUTHENTICATION_METHOD:
      return Failure(KPS_UNAUTHENTICATED, text + "the broker refuses the username and password");
    case MQTT_RC_NOT_AUTHORIZED:
    case MQTT_RC_BANNED: return Failure(KPS_PERMISSION_DENIED, text + "the broker does not permit it");
    case MQTT_RC_TOPIC_FILTER_INVALID:
    case MQTT_RC_TOPIC_NAME_INVALID:
      return Failure(KPS_FAILED_PRECONDITION, text + "the broker does not accept the topic");
    case MQTT_RC_PACKET_TOO_LARGE: return Failure(KPS_UNAVAILABLE, text + "a packet was larger than the broker takes");
    case MQTT_RC_QUOTA_EXCEEDED:
      return Failure(KPS_RESOURCE_EXHAUSTED, text + "the broker has no room, or a quota is used up");
    case MQTT_RC_SESSION_TAKEN_OVER:
      return Failure(KPS_UNAVAILABLE, text + "another client has connected with the same client id");
    default: return Failure(KPS_UNAVAILABLE, text + mosquitto_reason_string(reason));
  }
}

}  // namespace kps::plugins
