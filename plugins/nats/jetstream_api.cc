#include "jetstream_api.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "nats_errors.h"

namespace kps::plugins {
namespace {

using plugin::Failure;

const rapidjson::Value* member(const rapidjson::Value& object, const char* key) {
  return object.IsObject() && object.HasMember(key) ? &object[key] : nullptr;
}

}  // namespace

std::string text_of(const rapidjson::Value& object, const char* key) {
  const rapidjson::Value* value = member(object, key);
  return value != nullptr && value->IsString() ? std::string(value->GetString(), value->GetStringLength()) : "";
}

uint64_t number_of(const rapidjson::Value& object, const char* key) {
  const rapidjson::Value* value = member(object, key);
  return value != nullptr && value->IsUint64() ? value->GetUint64() : 0;
}

const rapidjson::Value& object_of(const rapidjson::Value& object, const char* key) {
  static const rapidjson::Value kEmpty(rapidjson::kObjectType);
  const rapidjson::Value* value = member(object, key);
  return value != nullptr && value->IsObject() ? *value : kEmpty;
}

std::vector<std::string> texts_of(const rapidjson::Value& object, const char* key) {
  std::vector<std::string> texts;
  const rapidjson::Value* value = member(object, key);
  if (value == nullptr || !value->IsArray()) return texts;
  for (const auto& one : value->GetArray()) {
    if (one.IsString()) texts.emplace_back(one.GetString(), one.GetStringLength());
  }
  return texts;
}

Failure failure_of(const rapidjson::Value& error, const std::string& doing) {
  return jetstream_failure(static_cast<int>(number_of(error, "code")), static_cast<int>(number_of(error, "err_code")),
                           text_of(error, "description"), doing);
}

std::string to_json(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return std::string(buffer.GetString(), buffer.GetSize());
}

rapidjson::Document ask_jetstream(NatsConnection& connection, const std::string& call, const std::string& request,
                                  const std::string& doing) {
  const std::optional<std::string> answer = connection.request("$JS.API." + call, request);
  if (!answer) {
    throw Failure(KPS_UNAVAILABLE, doing + ": JetStream is not enabled on this server, or not ready");
  }
  rapidjson::Document document;
  document.Parse(answer->data(), answer->size());
  if (document.HasParseError() || !document.IsObject()) {
    throw Failure(KPS_UNAVAILABLE, doing + ": JetStream answers something that is no JSON object");
  }
  if (document.HasMember("error")) throw failure_of(document["error"], doing);
  return document;
}

std::string find_stream(NatsConnection& connection, const std::string& subject, const std::string& doing) {
  rapidjson::Document request(rapidjson::kObjectType);
  request.AddMember("subject", rapidjson::Value(subject.c_str(), request.GetAllocator()), request.GetAllocator());
  const rapidjson::Document answer = ask_jetstream(connection, "STREAM.NAMES", to_json(request), doing);
  const std::vector<std::string> names = texts_of(answer, "streams");
  if (names.empty()) {
    throw Failure(KPS_NOT_FOUND, doing + ": no JetStream stream holds the subject; create one");
  }
  if (names.size() > 1) {
    throw Failure(KPS_FAILED_PRECONDITION, doing + ": several JetStream streams hold a part of the subject, " +
                                               names[0] + " and " + names[1] + " among them; set \"stream\"");
  }
  return names[0];
}

}  // namespace kps::plugins
