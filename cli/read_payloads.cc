#include "cli/read_payloads.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <istream>
#include <map>
#include <optional>

#include "cli/desired.h"
#include "cli/json_text.h"
#include "connector/v1/connector.pb.h"

namespace kps::cli {
namespace {

using rapidjson::Value;
using Keys = std::vector<const char*>;

constexpr char kKinds[] =
    "expected a stream {\"name\", \"direction\", \"stream\": {...}}, a config {\"name\", \"config\": {...}}, or the "
    "protobuf JSON of a SetPayloadRequest, Payload, Stream or Config, or an array of these";

const Keys kStreamKeys = {"name",
                          "description",
                          "id",
                          "direction",
                          "stream",
                          "labels",
                          "serviceDomainIds",
                          "connectorInstanceID",
                          "transportChannel",
                          "transport_channel"};
const Keys kConfigKeys = {"name", "description", "id", "connectorInstanceID", "serviceDomainIds", "config"};

std::optional<Failure> Bad(const std::string& place, const std::string& what) {
  return Failure{kExitUsage, place + ": " + what};
}

Result<std::string> ReadText(const std::string& file, std::istream& standard_input) {
  std::ifstream opened;
  std::istream* in = &standard_input;
  if (file != "-") {
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored)) {
      return Failure{kExitUsage, "cannot read " + file + ": it is a directory; name the files in it"};
    }
    errno = 0;
    opened.open(file, std::ios::binary);
    if (!opened) return Failure{kExitUsage, "cannot read " + file + ": " + std::strerror(errno)};
    in = &opened;
  }
  std::string text(kFileBytesMax + 1, '\0');
  in->read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in->bad()) return Failure{kExitUsage, "cannot read " + file};
  text.resize(static_cast<std::size_t>(in->gcount()));
  if (text.size() > kFileBytesMax) return Failure{kExitUsage, file + ": larger than 16 MiB"};
  return text;
}

bool Has(const Value& object, const char* key) { return object.HasMember(key); }

// The string at `key`, or nullopt where it is absent or not a string that says something.
std::optional<std::string> StringAt(const Value& object, const char* key) {
  const auto member = object.FindMember(key);
  if (member == object.MemberEnd() || !member->value.IsString() || member->value.GetStringLength() == 0) return {};
  return std::string(member->value.GetString(), member->value.GetStringLength());
}

std::optional<Failure> CheckKeys(const Value& object, const Keys& known, const std::string& what,
                                 const std::string& place) {
  std::string list;
  for (const char* key : known) list += (list.empty() ? "" : ", ") + std::string(key);
  std::vector<std::string> seen;
  for (const auto& member : object.GetObject()) {
    const std::string key(member.name.GetString(), member.name.GetStringLength());
    const auto same = [&key](const auto& other) { return key == other; };
    if (std::none_of(known.begin(), known.end(), same)) {
      return Bad(place, "unknown key \"" + key + "\" in a " + what + "; the known keys are " + list);
    }
    if (std::any_of(seen.begin(), seen.end(), same)) return Bad(place, "the key \"" + key + "\" is there twice");
    seen.push_back(key);
  }
  // What is not sent to the connector is only checked to be a text.
  for (const char* key :
       {"name", "description", "id", "connectorInstanceID", "transportChannel", "transport_channel"}) {
    if (Has(object, key) && !object[key].IsString()) return Bad(place, "\"" + std::string(key) + "\" must be a string");
  }
  return {};
}

std::optional<Failure> FromJson(const Value& value, const std::string& kind, const std::string& place,
                                google::protobuf::Message* message) {
  const auto parsed = google::protobuf::util::JsonStringToMessage(JsonText(value), message);
  if (parsed.ok()) return {};
  return Bad(place, "not the protobuf JSON of a " + kind + ": " + std::string(parsed.message()));
}

class Reader {
 public:
  std::optional<Failure> ReadFile(const std::string& file, std::istream& standard_input) {
    const auto text = ReadText(file, standard_input);
    if (!text.ok()) return text.failure();
    const std::string name = file == "-" ? "stdin" : file;
    auto document = ParseJson(text.value(), name);
    if (!document.ok()) return document.failure();
    const Value& root = document.value();
    if (!root.IsArray()) return ReadOne(root, name);
    for (rapidjson::SizeType i = 0; i < root.Size(); ++i) {
      if (auto failure = ReadOne(root[i], name + " at /" + std::to_string(i))) return failure;
    }
    return {};
  }

  v1::SetPayloadRequest&& Take(Sources* sources) {
    if (sources != nullptr) *sources = std::move(sources_);
    return std::move(request_);
  }

 private:
  std::optional<Failure> ReadOne(const Value& value, const std::string& place) {
    if (!value.IsObject()) return Bad(place, kKinds);
    const auto count = value.MemberCount();
    if (Has(value, "payloads")) {
      return Has(value, "status") ? ReadResponse(value, place) : ReadRequest(value, place);
    }
    if (Has(value, "name") || (Has(value, "stream") && count > 1) || (Has(value, "config") && count > 1)) {
      return ReadPlatform(value, place);
    }
    if (Has(value, "stream") || Has(value, "config")) {
      v1::Payload payload;
      if (auto failure = FromJson(value, "Payload", place, &payload)) {
        failure->text += "; the platform's form needs a \"name\" beside it";
        return failure;
      }
      return Add(payload, place);
    }
    if (Has(value, "metadata") && count == 1) {
      v1::Payload payload;
      if (auto failure = FromJson(value, "Config", place, payload.mutable_config())) return failure;
      return Add(payload, place);
    }
    if (Has(value, "id") || Has(value, "metadata")) {
      v1::Payload payload;
      if (auto failure = FromJson(value, "Stream", place, payload.mutable_stream())) return failure;
      return Add(payload, place);
    }
    return Bad(place, kKinds);
  }

  std::optional<Failure> ReadRequest(const Value& value, const std::string& place) {
    v1::SetPayloadRequest request;
    if (auto failure = FromJson(value, "SetPayloadRequest", place, &request)) return failure;
    if (auto failure = NameConnector(request.connector_id(), place)) return failure;
    for (const v1::Payload& payload : request.payloads()) {
      if (auto failure = Add(payload, place)) return failure;
    }
    return {};
  }

  std::optional<Failure> ReadResponse(const Value& value, const std::string& place) {
    v1::GetPayloadResponse response;
    if (auto failure = FromJson(value, "GetPayloadResponse", place, &response)) return failure;
    for (const v1::Payload& payload : response.payloads()) {
      if (payload.stream().discovered()) continue;
      if (auto failure = Add(payload, place)) return failure;
    }
    return {};
  }

  std::optional<Failure> ReadPlatform(const Value& value, const std::string& place) {
    const bool is_stream = Has(value, "stream");
    if (is_stream == Has(value, "config")) {
      return Bad(place, is_stream ? "has both \"stream\" and \"config\": put them in two files, or an array of two"
                                  : "has neither \"stream\" nor \"config\"; " + std::string(kKinds));
    }
    const std::string kind = is_stream ? "stream" : "config";
    if (auto failure = CheckKeys(value, is_stream ? kStreamKeys : kConfigKeys, kind, place)) return failure;
    const auto name = StringAt(value, "name");
    if (!name) return Bad(place, "\"name\" must be a string that is not empty");
    if (!value[kind.c_str()].IsObject()) return Bad(place, "\"" + kind + "\" must be an object");
    if (auto failure = NameConnector(StringAt(value, "connectorInstanceID").value_or(""), place)) return failure;

    v1::Payload payload;
    if (!is_stream) {
      if (auto failure = FromJson(value["config"], "Struct", place, payload.mutable_config()->mutable_metadata())) {
        return failure;
      }
      return Add(payload, place);
    }
    v1::Stream& stream = *payload.mutable_stream();
    const std::string direction = StringAt(value, "direction").value_or("");
    if (direction != "INGRESS" && direction != "EGRESS") {
      return Bad(place, "\"direction\" must be \"INGRESS\" (from the data service) or \"EGRESS\" (to it)");
    }
    stream.set_direction(direction == "INGRESS" ? v1::STREAM_DIRECTION_INGRESS : v1::STREAM_DIRECTION_EGRESS);
    if (Has(value, "transportChannel") && Has(value, "transport_channel")) {
      return Bad(place, "\"transportChannel\" and \"transport_channel\" are the same: keep one");
    }
    const auto channel = StringAt(value, "transportChannel");
    stream.set_id(StringAt(value, "id").value_or(*name));
    stream.set_transport_channel(channel ? *channel : StringAt(value, "transport_channel").value_or(*name));
    if (auto failure = FromJson(value["stream"], "Struct", place, stream.mutable_metadata())) return failure;
    return Add(payload, place);
  }

  std::optional<Failure> Add(const v1::Payload& payload, const std::string& place) {
    if (payload.has_config()) {
      MergeConfig(payload.config().metadata(), &request_);
      sources_.config += (sources_.config.empty() ? "" : ", ") + place;
      return {};
    }
    if (!payload.has_stream()) return Bad(place, "an empty payload; " + std::string(kKinds));
    const auto [first, added] = sources_.streams.emplace(payload.stream().id(), place);
    if (!added) {
      return Bad(place, "the stream \"" + payload.stream().id() + "\" is already in " + first->second +
                            ": an id names one stream");
    }
    *request_.add_payloads() = payload;
    return {};
  }

  std::optional<Failure> NameConnector(const std::string& id, const std::string& place) {
    if (id.empty() || id == request_.connector_id()) return {};
    if (!request_.connector_id().empty()) {
      return Bad(place, "is for the connector \"" + id + "\", the files before it are for \"" +
                            request_.connector_id() + "\": set one connector at a time");
    }
    request_.set_connector_id(id);
    return {};
  }

  v1::SetPayloadRequest request_;
  Sources sources_;
};

}  // namespace

Result<v1::SetPayloadRequest> ReadPayloads(const std::vector<std::string>& files, std::istream& standard_input,
                                           Sources* sources) {
  Reader reader;
  for (const std::string& file : files) {
    if (auto failure = reader.ReadFile(file, standard_input)) return *failure;
  }
  return reader.Take(sources);
}

}  // namespace kps::cli
