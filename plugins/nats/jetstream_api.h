// Requests to JetStream's API ($JS.API), and what its streams are.
#ifndef KPS_PLUGINS_NATS_JETSTREAM_API_H
#define KPS_PLUGINS_NATS_JETSTREAM_API_H

#include <rapidjson/document.h>

#include <cstdint>
#include <string>
#include <vector>

#include "nats_connection.h"

namespace kps::plugins {

// The object that it answers. `doing` begins the sentence of a Failure: UNAVAILABLE when nobody answers, else what
// jetstream_failure makes of an error.
rapidjson::Document ask_jetstream(NatsConnection& connection, const std::string& call, const std::string& request,
                                  const std::string& doing);

// Members of an object; what is not there, or of another type, is empty or 0.
std::string text_of(const rapidjson::Value& object, const char* key);
uint64_t number_of(const rapidjson::Value& object, const char* key);
const rapidjson::Value& object_of(const rapidjson::Value& object, const char* key);
std::vector<std::string> texts_of(const rapidjson::Value& object, const char* key);

// The failure that an answer holds in its "error".
plugin::Failure failure_of(const rapidjson::Value& error, const std::string& doing);

std::string to_json(const rapidjson::Value& value);

// The name of the stream that holds the subject. Throws Failure: NOT_FOUND, there is none; FAILED_PRECONDITION, several
// share it.
std::string find_stream(NatsConnection& connection, const std::string& subject, const std::string& doing);

}  // namespace kps::plugins

#endif
