#include "cli/stream_file.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "cli/json_text.h"
#include "cli/read_payloads.h"
#include "cli/render.h"
#include "connector/v1/connector.pb.h"

namespace kps::cli {
namespace {

// A file that is written for this program, or its only object, has one of these.
bool IsPlain(const rapidjson::Value& value) {
  constexpr const char* kKeys[] = {"stream", "config", "payloads", "metadata", "direction"};
  return value.IsObject() &&
         std::none_of(std::begin(kKeys), std::end(kKeys), [&](const char* key) { return value.HasMember(key); });
}

// What a file holds: an object of its own, or payloads.
struct Content {
  std::optional<std::string> plain_json;
  v1::SetPayloadRequest request;
};

bool IsJsonItself(const std::string& source) {
  const auto first = source.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return false;
  std::error_code unknown;
  // No file's name begins with a brace; one may begin with a bracket.
  return source[first] == '{' || (source[first] == '[' && !std::filesystem::exists(source, unknown));
}

Result<Content> ReadContent(const std::string& source, const char* option, std::istream& standard_input) {
  const auto text = IsJsonItself(source) ? Result<std::string>(source) : ReadFile(source, standard_input);
  if (!text.ok()) return text.failure();
  const std::string file = SourceName(source, option);
  const auto document = ParseJson(text.value(), file);
  if (!document.ok()) return document.failure();
  Content content;
  if (IsPlain(document.value())) {
    // By way of a Struct, so that what comes is what the platform would send.
    google::protobuf::Struct object;
    const auto parsed = google::protobuf::util::JsonStringToMessage(JsonText(document.value()), &object);
    if (!parsed.ok()) return Failure{kExitUsage, file + ": " + std::string(parsed.message())};
    content.plain_json = CompactJson(object);
    return content;
  }
  auto request = ParsePayloads(text.value(), file);
  if (!request.ok()) return request.failure();
  content.request = std::move(request.value());
  return content;
}

StreamFile FromContract(const v1::Stream& stream) {
  StreamFile read{stream.id(), {}, stream.transport_channel(), CompactJson(stream.metadata())};
  if (stream.direction() == v1::STREAM_DIRECTION_INGRESS) read.direction = StreamDirection::kIngress;
  if (stream.direction() == v1::STREAM_DIRECTION_EGRESS) read.direction = StreamDirection::kEgress;
  return read;
}

}  // namespace

std::string SourceName(const std::string& source, const char* option) {
  if (IsJsonItself(source)) return option;
  return source == "-" ? "stdin" : source;
}

Result<StreamFile> ReadStreamFile(const std::string& source, std::istream& standard_input) {
  const auto content = ReadContent(source, kStreamOption, standard_input);
  if (!content.ok()) return content.failure();
  StreamFile read;
  if (content.value().plain_json) {
    read.metadata_json = *content.value().plain_json;
    return read;
  }
  std::vector<StreamFile> streams;
  for (const v1::Payload& payload : content.value().request.payloads()) {
    if (payload.has_stream()) streams.push_back(FromContract(payload.stream()));
  }
  if (streams.size() == 1) return streams.front();
  return Failure{kExitUsage, SourceName(source, kStreamOption) + " holds " + std::to_string(streams.size()) +
                                 " streams: one stream is needed"};
}

Result<std::string> ReadConfigFile(const std::string& source, std::istream& standard_input) {
  const auto content = ReadContent(source, kConfigOption, standard_input);
  if (!content.ok()) return content.failure();
  if (content.value().plain_json) return *content.value().plain_json;
  const auto& payloads = content.value().request.payloads();
  const auto config =
      std::find_if(payloads.begin(), payloads.end(), [](const v1::Payload& payload) { return payload.has_config(); });
  if (config != payloads.end()) return CompactJson(config->config().metadata());
  return Failure{kExitUsage, SourceName(source, kConfigOption) + " holds no config"};
}

}  // namespace kps::cli
