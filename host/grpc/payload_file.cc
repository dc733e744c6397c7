#include "host/grpc/payload_file.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>

#include "connector/v1/connector.pb.h"
#include "host/core/json.h"
#include "host/grpc/convert.h"
#include "host/grpc/json_complaint.h"

namespace kps {
namespace {

constexpr char kNeeded[] =
    "{\"payloads\": [{\"stream\": {\"id\": ..., \"direction\": \"STREAM_DIRECTION_INGRESS\", \"transportChannel\": "
    "..., \"metadata\": {...}}}]}";

bool HasOne(const JsonMembers& members, std::initializer_list<const char*> keys) {
  return std::any_of(keys.begin(), keys.end(), [&](const char* key) { return members.contains(key); });
}

// What a file is that was written for the platform; empty: nothing of it.
std::string PlatformHint(const JsonMembers& root) {
  if (HasOne(root, {"connectorVersion", "minSvcDomainVersion", "staticParameterSchema", "configParameterSchema",
                    "streamParameterSchema", "yamlData"})) {
    return "this is the platform's JSON of a connector class, which names no stream";
  }
  if (HasOne(root, {"connectorClassID", "staticParameters"})) {
    return "this is the platform's JSON of a connector instance: its staticParameters go to --static-param or "
           "KPS_STATIC_PARAMETERS";
  }
  if (root.contains("stream") || root.contains("config")) {
    const std::string kind = root.contains("stream") ? "stream" : "config";
    return "this is the platform's JSON of a " + kind + ": kps-connector " + (kind == "stream" ? "streams" : "config") +
           " set FILE takes it; here it is " + kNeeded;
  }
  return {};
}

// "FILE is no SetPayloadRequest: payloads[0].stream.chanel (line 3, column 5): there is no such field"
Error WrongContent(const std::string& path, const std::string& text, const JsonMembers& root, std::string_view said) {
  JsonComplaint complaint = SplitJsonComplaint(said);
  if (complaint.text.starts_with("Cannot find field")) complaint.text = "there is no such field";
  if (complaint.path.ends_with(".direction")) {
    complaint.text += "; use STREAM_DIRECTION_INGRESS or STREAM_DIRECTION_EGRESS";
  }
  const std::string hint = PlatformHint(root);
  const std::string place = complaint.path.empty()
                                ? ""
                                : complaint.path + " (" + LineAndColumn(text, LocateJson(text, complaint.path)) + "): ";
  return Error(Code::kInvalidArgument,
               path + " is no SetPayloadRequest: " + place + complaint.text + (hint.empty() ? "" : ". " + hint));
}

}  // namespace

Result<SetPayloadCommand> ReadPayloadFile(const std::string& path, const std::string& connector_id) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(Code::kNotFound, path + ": " + std::strerror(errno));
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return Error(Code::kInvalidArgument, path + " is a directory: name a file that holds a SetPayloadRequest");
  }
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());

  // Objects and arrays around metadata: the request, its payloads, one of them, its stream or config.
  constexpr int kAround = 4;
  if (const auto offset = FindDeeperThan(kAround + kMetadataDepthMax, text)) {
    return Error(Code::kInvalidArgument,
                 path + " is no SetPayloadRequest: what begins at " + LineAndColumn(text, *offset) +
                     " is nested too deep: metadata have up to " + std::to_string(kMetadataDepthMax) + " levels");
  }
  // Our own parser first: protobuf's names no line.
  const auto parsed = ParseJsonObject(text);
  if (!parsed.ok()) {
    return Error(Code::kInvalidArgument, path + " is no SetPayloadRequest: " + parsed.error().message());
  }
  if (const auto integer = FindInexactInteger(text)) {
    return Error(Code::kInvalidArgument, path + " is no SetPayloadRequest: " + LineAndColumn(text, integer->offset) +
                                             ": " + integer->description);
  }
  connector::v1::SetPayloadRequest request;
  const auto status = google::protobuf::util::JsonStringToMessage(text, &request);
  if (!status.ok()) {
    return WrongContent(path, text, parsed.value(), {status.message().data(), status.message().size()});
  }
  if (request.connector_id().empty()) request.set_connector_id(connector_id);
  return ToCommand(request);
}

}  // namespace kps
