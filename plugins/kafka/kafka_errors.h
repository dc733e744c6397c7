// What librdkafka's error codes mean to the host.
#ifndef KPS_PLUGINS_KAFKA_KAFKA_ERRORS_H
#define KPS_PLUGINS_KAFKA_KAFKA_ERRORS_H

#include <librdkafka/rdkafka.h>

#include <kps/plugin.hpp>
#include <string>

namespace kps::plugins {

// Transient for what heals by itself, permanent for what needs a person.
kps_code code_of_kafka(rd_kafka_resp_err_t error) noexcept;

// "`what`: the library's sentence for `error`, and what to do about it". `detail`: more than the sentence, where known.
plugin::Failure kafka_failure(rd_kafka_resp_err_t error, const std::string& what, const std::string& detail = "");

}  // namespace kps::plugins

#endif
