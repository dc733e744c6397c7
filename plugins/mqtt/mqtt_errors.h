// What libmosquitto and brokers answer, as a plugin says it.
#ifndef KPS_PLUGINS_MQTT_MQTT_ERRORS_H
#define KPS_PLUGINS_MQTT_MQTT_ERRORS_H

#include <kps/plugin.hpp>
#include <string>

namespace kps::plugins {

// Of a call of libmosquitto that did not return MOSQ_ERR_SUCCESS. `doing` names the act and the broker.
plugin::Failure library_failure(int mosq_error, const std::string& doing);

// Of a CONNACK. `reason` is a return code of MQTT 3.1.1 or a reason code of MQTT 5; `v5` says which.
plugin::Failure connack_failure(int reason, bool v5, const std::string& doing);

// Of a SUBACK, PUBACK, PUBREC, PUBCOMP or DISCONNECT of MQTT 5, 0x80 and above; also of a SUBACK of 3.1.1 (0x80).
plugin::Failure reason_failure(int reason, const std::string& doing);

}  // namespace kps::plugins

#endif
