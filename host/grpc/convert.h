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

// What a violation says of metadata that are nested deeper than kMetadataDepthMax.
std::string NestedTooDeep();

// A Struct as JSON text with sorted keys; whole numbers up to 2^53 stay whole. What JSON cannot hold (NaN, infinity, a
// value without content) or what is nested too deep is named in `violations`, by its place below `place`.
std::string StructToJson(const google::protobuf::Struct& metadata, const std::string& place,
                         std::vector<Violation>* violations);
// `json` is an object; an empty text gives an empty Struct. What is nested too deep for a client is cut.
void JsonToStruct(const std::string& json, google::protobuf::Struct* metadata);

SetPayloadCommand ToCommand(const connector::v1::SetPayloadRequest& request);

void FromStreamView(const Runtime::StreamView& view, connector::v1::Stream* stream);
void FromEvent(const Event& event, connector::v1::EventPayload* payload);
// Code and message, and the violations as google.rpc.BadRequest in details.
void FromOutcome(const Error& error, const std::vector<Violation>& violations, connector::v1::ResponseStatus* status);

}  // namespace kps
