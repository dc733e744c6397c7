#include "cli/desired.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>

#include "cli/json_text.h"
#include "connector/v1/connector.pb.h"
#include "host/core/json.h"
#include "host/grpc/json_complaint.h"

namespace kps::cli {

void MergeConfig(const google::protobuf::Struct& from, v1::SetPayloadRequest* to) {
  auto& payloads = *to->mutable_payloads();
  auto config =
      std::find_if(payloads.begin(), payloads.end(), [](const auto& payload) { return payload.has_config(); });
  google::protobuf::Struct* merged =
      (config == payloads.end() ? to->add_payloads() : &*config)->mutable_config()->mutable_metadata();
  for (const auto& [key, value] : from.fields()) (*merged->mutable_fields())[key] = value;
}

v1::SetPayloadRequest DesiredStreams(const v1::GetPayloadResponse& current) {
  v1::SetPayloadRequest request;
  for (const v1::Payload& payload : current.payloads()) {
    if (payload.has_stream() && !payload.stream().discovered()) *request.add_payloads() = payload;
  }
  ClearOutputOnly(&request);
  return request;
}

void AddOrReplace(const v1::SetPayloadRequest& from, v1::SetPayloadRequest* to) {
  for (const v1::Payload& payload : from.payloads()) {
    if (payload.has_config()) {
      MergeConfig(payload.config().metadata(), to);
      continue;
    }
    auto& payloads = *to->mutable_payloads();
    auto same = std::find_if(payloads.begin(), payloads.end(), [&payload](const auto& other) {
      return other.has_stream() && other.stream().id() == payload.stream().id();
    });
    *(same == payloads.end() ? to->add_payloads() : &*same) = payload;
  }
}

Result<v1::SetPayloadRequest> WithoutStreams(v1::SetPayloadRequest request, const std::vector<std::string>& ids) {
  std::string present;
  for (const v1::Payload& payload : request.payloads()) {
    if (payload.has_stream()) present += (present.empty() ? "" : ", ") + payload.stream().id();
  }
  auto& payloads = *request.mutable_payloads();
  for (const std::string& id : ids) {
    const auto found = std::find_if(payloads.begin(), payloads.end(), [&id](const auto& payload) {
      return payload.has_stream() && payload.stream().id() == id;
    });
    if (found == payloads.end()) {
      return Failure{kExitUsage, "no stream \"" + id + "\" is set, so nothing was changed; those that are: " +
                                     (present.empty() ? "none" : present)};
    }
    payloads.erase(found);
  }
  return request;
}

void ClearOutputOnly(v1::SetPayloadRequest* request) {
  for (v1::Payload& payload : *request->mutable_payloads()) {
    if (!payload.has_stream()) continue;
    payload.mutable_stream()->clear_subscribed();
    payload.mutable_stream()->clear_discovered();
  }
}

int StreamCount(const v1::SetPayloadRequest& request) {
  return static_cast<int>(std::count_if(request.payloads().begin(), request.payloads().end(),
                                        [](const auto& payload) { return payload.has_stream(); }));
}

Result<google::protobuf::Struct> ParseAssignment(const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    return Failure{kExitUsage, "\"" + assignment + "\" is not KEY=VALUE: the key is empty"};
  }
  const std::string key = assignment.substr(0, equals);
  const std::string text = assignment.substr(equals + 1);
  google::protobuf::Struct result;
  google::protobuf::Value& value = (*result.mutable_fields())[key];
  if (!IsJson(text)) {
    value.set_string_value(text);
    return result;
  }
  // What is valid JSON and cannot be sent as it is does not become a string, which nobody meant.
  if (const auto integer = FindInexactInteger(text)) {
    return Failure{kExitUsage, key + ": " + integer->description + " (quoted for the shell as well)"};
  }
  if (FindDeeperThan(kMetadataDepthMax - 1, text)) {
    return Failure{kExitUsage,
                   key + ": is nested too deep: a config has up to " + std::to_string(kMetadataDepthMax) + " levels"};
  }
  const auto document = ParseJson(text, key);
  if (!document.ok()) return document.failure();
  const auto parsed = google::protobuf::util::JsonStringToMessage(JsonText(document.value()), &value);
  if (!parsed.ok()) return Failure{kExitUsage, key + ": " + std::string(parsed.message())};
  return result;
}

}  // namespace kps::cli
