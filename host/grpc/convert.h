// Between the wire's messages and core's types. Internal to host/grpc.
#pragma once

#include <string>
#include <vector>

#include "host/core/runtime.h"

namespace google::protobuf {
class Struct;
}
namespace connector::v1 {
class EventPayload;
class ResponseStatus;
class SetPayloadRequest;
class Stream;
}  // namespace connector::v1

namespace kps {

// A Struct as JSON text with sorted keys; whole numbers up to 2^53 stay whole. INVALID_ARGUMENT: a number that JSON
// cannot hold (NaN, infinity) or a value without content, with its place.
Result<std::string> StructToJson(const google::protobuf::Struct& metadata);
// `json` is an object; an empty text gives an empty Struct.
void JsonToStruct(const std::string& json, google::protobuf::Struct* metadata);

// What cannot be converted is appended to `violations`.
SetPayloadCommand ToCommand(const connector::v1::SetPayloadRequest& request, std::vector<Violation>* violations);

void FromStreamView(const Runtime::StreamView& view, connector::v1::Stream* stream);
void FromEvent(const Event& event, connector::v1::EventPayload* payload);
// Code and message, and the violations as google.rpc.BadRequest in details.
void FromOutcome(const Error& error, const std::vector<Violation>& violations, connector::v1::ResponseStatus* status);

}  // namespace kps
