// The messages of the contract by name only: sources that look inside them include the generated header.
#pragma once

namespace google::protobuf {
class Message;
class Struct;
}  // namespace google::protobuf

namespace connector::v1 {
class Config;
class EventPayload;
class GetEventsResponse;
class GetPayloadResponse;
class ResponseStatus;
class SetPayloadRequest;
class SetPayloadResponse;
class Stream;
}  // namespace connector::v1

// What the host offers besides.
namespace kps::host::v1 {
class PluginStatus;
class ReloadPluginResponse;
}  // namespace kps::host::v1

namespace kps::cli {
namespace v1 = connector::v1;
}  // namespace kps::cli
