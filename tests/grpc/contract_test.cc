// The wire contract, spelled out once more: whoever changes a name or a number in connector.proto fails here.
// A pure addition fails as well: the contract is the platform's to extend.

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "connector/v1/connector.pb.h"
#include "host/core/known_events.h"

namespace kps {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

constexpr std::string_view kContract = R"(
file connector/v1/connector.proto
syntax proto3
package connector.v1
go_package connector/v1;connector
service ConnectorService
  rpc GetPayload: connector.v1.GetPayloadRequest -> connector.v1.GetPayloadResponse
  rpc SetPayload: connector.v1.SetPayloadRequest -> connector.v1.SetPayloadResponse
  rpc GetEvents: connector.v1.GetEventsRequest -> connector.v1.GetEventsResponse
message GetPayloadRequest
  connector_id = 1 : string
  kind = 2 : connector.v1.PayloadKind
message GetPayloadResponse
  status = 1 : connector.v1.ResponseStatus
  payloads = 2 : repeated connector.v1.Payload
message SetPayloadRequest
  connector_id = 1 : string
  payloads = 2 : repeated connector.v1.Payload
message SetPayloadResponse
  status = 1 : connector.v1.ResponseStatus
message Stream
  id = 1 : string
  subscribed = 2 : bool
  discovered = 3 : bool
  direction = 4 : connector.v1.StreamDirection
  transport_channel = 5 : string
  metadata = 6 : google.protobuf.Struct
message Config
  metadata = 1 : google.protobuf.Struct
message Payload
  config = 1 : connector.v1.Config in oneof object
  stream = 2 : connector.v1.Stream in oneof object
message TransportMessage
  timestamp = 1 : int64
  payload = 3 : repeated bytes
message ResponseStatus
  code = 1 : connector.v1.ResponseCode
  message = 2 : string
  details = 3 : repeated google.protobuf.Any
message Alert
  id = 1 : string
  stream_id = 2 : string
  message = 3 : string
  severity = 4 : connector.v1.Severity
  state = 5 : connector.v1.State
  created_at = 6 : google.protobuf.Timestamp
  metadata = 7 : google.protobuf.Struct
message Status
  id = 1 : string
  stream_id = 2 : string
  message = 3 : string
  state = 4 : connector.v1.State
  created_at = 5 : google.protobuf.Timestamp
  metadata = 6 : google.protobuf.Struct
message EventPayload
  alert = 1 : connector.v1.Alert in oneof object
  status = 2 : connector.v1.Status in oneof object
message GetEventsRequest
  connector_id = 1 : string
message GetEventsResponse
  status = 1 : connector.v1.ResponseStatus
  event_payloads = 2 : repeated connector.v1.EventPayload
enum PayloadKind
  PAYLOAD_KIND_UNSPECIFIED = 0
  PAYLOAD_KIND_STREAM = 1
  PAYLOAD_KIND_CONFIG = 2
enum StreamDirection
  STREAM_DIRECTION_UNSPECIFIED = 0
  STREAM_DIRECTION_INGRESS = 1
  STREAM_DIRECTION_EGRESS = 2
enum ResponseCode
  RESPONSE_CODE_UNSPECIFIED = 0
  RESPONSE_CODE_OK = 1
  RESPONSE_CODE_CANCELLED = 2
  RESPONSE_CODE_UNKNOWN = 3
  RESPONSE_CODE_INVALID_ARGUMENT = 4
  RESPONSE_CODE_DEADLINE_EXCEEDED = 5
  RESPONSE_CODE_NOT_FOUND = 6
  RESPONSE_CODE_ALREADY_EXISTS = 7
  RESPONSE_CODE_PERMISSION_DENIED = 8
  RESPONSE_CODE_UNAUTHENTICATED = 9
  RESPONSE_CODE_RESOURCE_EXHAUSTED = 10
  RESPONSE_CODE_FAILED_PRECONDITION = 11
  RESPONSE_CODE_ABORTED = 12
  RESPONSE_CODE_OUT_OF_RANGE = 13
  RESPONSE_CODE_UNIMPLEMENTED = 14
  RESPONSE_CODE_INTERNAL = 15
  RESPONSE_CODE_UNAVAILABLE = 16
  RESPONSE_CODE_DATA_LOSS = 17
enum Severity
  SEVERITY_UNSPECIFIED = 0
  SEVERITY_INFO = 1
  SEVERITY_WARNING = 2
  SEVERITY_CRITICAL = 3
enum State
  STATE_UNSPECIFIED = 0
  STATE_PROVISIONING = 1
  STATE_PROVISIONED = 2
  STATE_FAILED = 3
  STATE_HEALTHY = 4
  STATE_UNHEALTHY = 5
)";

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end > 0) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return lines;
}

// An indented line is put behind the heading it is under, so that the order of the lines does not matter.
std::set<std::string> Statements(const std::vector<std::string>& lines) {
  std::set<std::string> statements;
  std::string heading;
  for (const std::string& line : lines) {
    const bool indented = line.starts_with("  ");
    if (!indented) heading = line;
    statements.insert(indented ? heading + line : line);
  }
  return statements;
}

std::vector<std::string> Without(const std::set<std::string>& all, const std::set<std::string>& some) {
  std::vector<std::string> rest;
  std::set_difference(all.begin(), all.end(), some.begin(), some.end(), std::back_inserter(rest));
  return rest;
}

std::string TypeName(const FieldDescriptor& field) {
  if (field.message_type() != nullptr) return field.message_type()->full_name();
  if (field.enum_type() != nullptr) return field.enum_type()->full_name();
  return field.type_name();
}

void Describe(const Descriptor& message, std::vector<std::string>* lines) {
  lines->push_back("message " + message.name());
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    std::string line = "  " + field.name() + " = " + std::to_string(field.number()) + " : ";
    if (field.is_required()) line += "required ";
    if (field.is_repeated()) line += "repeated ";
    line += TypeName(field);
    if (field.has_presence() && field.message_type() == nullptr) line += " with presence";
    if (field.containing_oneof() != nullptr) line += " in oneof " + field.containing_oneof()->name();
    lines->push_back(line);
  }
  for (int i = 0; i < message.nested_type_count(); ++i) lines->push_back("  nested " + message.nested_type(i)->name());
  for (int i = 0; i < message.enum_type_count(); ++i) lines->push_back("  nested " + message.enum_type(i)->name());
  for (int i = 0; i < message.extension_range_count(); ++i) lines->push_back("  an extension range");
  for (int i = 0; i < message.reserved_range_count(); ++i) lines->push_back("  a reserved range");
}

void Describe(const EnumDescriptor& type, std::vector<std::string>* lines) {
  lines->push_back("enum " + type.name());
  for (int i = 0; i < type.value_count(); ++i) {
    lines->push_back("  " + type.value(i)->name() + " = " + std::to_string(type.value(i)->number()));
  }
}

std::vector<std::string> Describe(const FileDescriptor& file) {
  std::vector<std::string> lines{
      "file " + file.name(),
      std::string("syntax ") + FileDescriptor::SyntaxName(file.syntax()),
      "package " + file.package(),
      "go_package " + file.options().go_package(),
  };
  for (int i = 0; i < file.service_count(); ++i) {
    lines.push_back("service " + file.service(i)->name());
    for (int j = 0; j < file.service(i)->method_count(); ++j) {
      const auto& rpc = *file.service(i)->method(j);
      lines.push_back("  rpc " + rpc.name() + ": " + (rpc.client_streaming() ? "stream " : "") +
                      rpc.input_type()->full_name() + " -> " + (rpc.server_streaming() ? "stream " : "") +
                      rpc.output_type()->full_name());
    }
  }
  for (int i = 0; i < file.message_type_count(); ++i) Describe(*file.message_type(i), &lines);
  for (int i = 0; i < file.enum_type_count(); ++i) Describe(*file.enum_type(i), &lines);
  for (int i = 0; i < file.extension_count(); ++i) lines.push_back("extension " + file.extension(i)->name());
  return lines;
}

TEST(Contract, HasExactlyTheNamesAndNumbersThatThePlatformSpeaks) {
  const FileDescriptor& file = *connector::v1::Stream::descriptor()->file();
  const auto expected = Statements(Lines(kContract));
  const auto actual = Statements(Describe(file));
  EXPECT_THAT(Without(expected, actual), ::testing::IsEmpty()) << "of the contract, but not in connector.proto";
  EXPECT_THAT(Without(actual, expected), ::testing::IsEmpty()) << "in connector.proto, but not of the contract";
}

TEST(Contract, PutsThePayloadsOfAnEnvelopeInField3) {
  connector::v1::TransportMessage message;
  message.set_timestamp(5);
  message.add_payload("a");
  message.add_payload("");
  EXPECT_EQ(message.SerializeAsString(), std::string("\x08\x05\x1a\x01"
                                                     "a"
                                                     "\x1a\x00",
                                                     7));
}

TEST(Contract, HasTheEventsThatClientsKnow) {
  struct Event {
    EventKind kind;
    const char* id;
    const char* message;
    int severity;
    int state;
  };
  using namespace connector::v1;
  const Event expected[] = {
      {EventKind::kAlert, "transportPublishFailed", "failed to publish message on transport", SEVERITY_CRITICAL,
       STATE_FAILED},
      {EventKind::kAlert, "transportSubscribeFailed", "failed to subscribe to transport", SEVERITY_CRITICAL,
       STATE_FAILED},
      {EventKind::kAlert, "transportUnsubscribeFailed", "failed to unsubscribe from transport", SEVERITY_CRITICAL,
       STATE_FAILED},
      {EventKind::kStatus, "streamStarted", "stream has successfully started", SEVERITY_UNSPECIFIED, STATE_PROVISIONED},
      {EventKind::kStatus, "streamHealthy", "stream is healthy", SEVERITY_UNSPECIFIED, STATE_HEALTHY},
      {EventKind::kStatus, "streamUnhealthy", "stream is unhealthy", SEVERITY_UNSPECIFIED, STATE_UNHEALTHY},
  };
  ASSERT_EQ(kKnownEvents.size(), std::size(expected));
  for (std::size_t i = 0; i < kKnownEvents.size(); ++i) {
    EXPECT_EQ(kKnownEvents[i].kind, expected[i].kind) << expected[i].id;
    EXPECT_EQ(kKnownEvents[i].id, expected[i].id);
    EXPECT_EQ(kKnownEvents[i].message, expected[i].message);
    EXPECT_EQ(static_cast<int>(kKnownEvents[i].severity), expected[i].severity) << expected[i].id;
    EXPECT_EQ(static_cast<int>(kKnownEvents[i].state), expected[i].state) << expected[i].id;
  }
  EXPECT_EQ(kErrorMessageKey, "ErrorMessage");
  EXPECT_EQ(kStreamIdKey, "StreamID");
  EXPECT_EQ(kExtraMessageKey, "ExtraMessage");
}

}  // namespace
}  // namespace kps
