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
#include "host/grpc/json_complaint.h"

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

}  // namespace

Result<std::string> ReadFile(const std::string& file, std::istream& standard_input) {
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

namespace {

bool Has(const Value& object, const char* key) { return object.HasMember(key); }

// The string at `key`, or nullopt where it is absent or not a string that says something.
std::optional<std::string> StringAt(const Value& object, const char* key) {
  const auto member = object.FindMember(key);
  if (member == object.MemberEnd() || !member->value.IsString() || member->value.GetStringLength() == 0) return {};
  return std::string(member->value.GetString(), member->value.GetStringLength());
}

// A value of a file.
struct At {
  std::string place;      // "FILE", or "FILE at /2"
  std::string path = {};  // in the file: "", or "[2]"

  At Member(const std::string& key) const { return {place, path + '.' + key}; }
};

// Protobuf JSON that is read: how deep it may be, for the metadata and what is around them, and what else it may be
// meant for.
struct Form {
  const char* name;
  int depth_max;
  const char* hint = "";
};
constexpr Form kStruct{"Struct", kMetadataDepthMax};
constexpr Form kConfig{"Config", kMetadataDepthMax + 1};
constexpr Form kStream{"Stream", kMetadataDepthMax + 1};
constexpr Form kPayload{"Payload", kMetadataDepthMax + 2, "; the platform's form needs a \"name\" beside it"};
constexpr Form kRequest{"SetPayloadRequest", kMetadataDepthMax + 4};
constexpr Form kResponse{"GetPayloadResponse", kMetadataDepthMax + 4};

// The path to the first object or array in `value` that is deeper than `depth_max`; nothing: there is none.
std::optional<std::string> PathDeeperThan(int depth_max, const Value& value) {
  if (!value.IsObject() && !value.IsArray()) return {};
  if (depth_max == 0) return "";
  if (value.IsObject()) {
    for (const auto& member : value.GetObject()) {
      const auto below = PathDeeperThan(depth_max - 1, member.value);
      if (below) return '.' + std::string(member.name.GetString(), member.name.GetStringLength()) + *below;
    }
    return {};
  }
  for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
    if (const auto below = PathDeeperThan(depth_max - 1, value[i])) return '[' + std::to_string(i) + ']' + *below;
  }
  return {};
}

// Where in the array of JSON the element is that protobuf made number `index`: it leaves out those that are null.
std::string ElementPath(const Value& array, int index) {
  rapidjson::SizeType at = 0;
  if (array.IsArray()) {
    for (int left = index; at < array.Size() && (array[at].IsNull() || left-- > 0);) ++at;
  }
  return '[' + std::to_string(at) + ']';
}

// What a file is that was written for the platform and is neither a stream nor a config; empty: nothing of it.
std::string PlatformHint(const Value& value) {
  for (const char* key : {"connectorVersion", "minSvcDomainVersion", "staticParameterSchema", "configParameterSchema",
                          "streamParameterSchema", "yamlData"}) {
    if (Has(value, key)) return "this is the platform's JSON of a connector class, which names no stream; ";
  }
  for (const char* key : {"connectorClassID", "staticParameters"}) {
    if (Has(value, key)) return "this is the platform's JSON of a connector instance, which names no stream; ";
  }
  return {};
}

class Reader {
 public:
  std::optional<Failure> Read(const std::string& text, const std::string& file) {
    name_ = file == "-" ? "stdin" : file;
    text_ = text;
    auto document = ParseJson(text_, name_);
    if (!document.ok()) return document.failure();
    const Value& root = document.value();
    if (!root.IsArray()) return ReadOne(root, {name_});
    for (rapidjson::SizeType i = 0; i < root.Size(); ++i) {
      const std::string index = std::to_string(i);
      if (auto failure = ReadOne(root[i], {name_ + " at /" + index, '[' + index + ']'})) return failure;
    }
    return {};
  }

  v1::SetPayloadRequest&& Take(Sources* sources) {
    if (sources != nullptr) *sources = std::move(sources_);
    return std::move(request_);
  }

 private:
  std::optional<Failure> Bad(const At& at, const std::string& what) const {
    return Failure{kExitUsage, Place(name_, text_, at.path) + ": " + what};
  }

  std::optional<Failure> CheckKeys(const Value& object, const Keys& known, const std::string& what,
                                   const At& at) const {
    std::string list;
    for (const char* key : known) list += (list.empty() ? "" : ", ") + std::string(key);
    std::vector<std::string> seen;
    for (const auto& member : object.GetObject()) {
      const std::string key(member.name.GetString(), member.name.GetStringLength());
      const auto same = [&key](const auto& other) { return key == other; };
      if (std::none_of(known.begin(), known.end(), same)) {
        return Bad(at.Member(key), "unknown key \"" + key + "\" in a " + what + "; the known keys are " + list);
      }
      if (std::any_of(seen.begin(), seen.end(), same)) return Bad(at, "the key \"" + key + "\" is there twice");
      seen.push_back(key);
    }
    // What is not sent to the connector is only checked to be a text.
    for (const char* key :
         {"name", "description", "id", "connectorInstanceID", "transportChannel", "transport_channel"}) {
      if (Has(object, key) && !object[key].IsString()) {
        return Bad(at.Member(key), "\"" + std::string(key) + "\" must be a string");
      }
    }
    return {};
  }

  std::optional<Failure> FromJson(const Value& value, const Form& form, const At& at,
                                  google::protobuf::Message* message) const {
    if (const auto path = PathDeeperThan(form.depth_max, value)) {
      return Bad({at.place, at.path + *path},
                 "nested too deep: metadata have up to " + std::to_string(kMetadataDepthMax) + " levels");
    }
    const auto parsed = google::protobuf::util::JsonStringToMessage(JsonText(value), message);
    if (parsed.ok()) return {};
    const std::string said(parsed.message());
    const std::string path = SplitJsonComplaint(said).path;
    return Bad({at.place, at.path + '.' + path},
               "not the protobuf JSON of a " + std::string(form.name) + ": " + said + form.hint);
  }

  std::optional<Failure> ReadOne(const Value& value, const At& at) {
    if (!value.IsObject()) return Bad(at, kKinds);
    const auto count = value.MemberCount();
    if (Has(value, "payloads")) {
      return Has(value, "status") ? ReadResponse(value, at) : ReadRequest(value, at);
    }
    if (Has(value, "name") || (Has(value, "stream") && count > 1) || (Has(value, "config") && count > 1)) {
      return ReadPlatform(value, at);
    }
    if (Has(value, "stream") || Has(value, "config")) {
      v1::Payload payload;
      if (auto failure = FromJson(value, kPayload, at, &payload)) return failure;
      return Add(payload, at);
    }
    if (Has(value, "metadata") && count == 1) {
      v1::Payload payload;
      if (auto failure = FromJson(value, kConfig, at, payload.mutable_config())) return failure;
      return Add(payload, at);
    }
    if (Has(value, "id") || Has(value, "metadata")) {
      v1::Payload payload;
      if (auto failure = FromJson(value, kStream, at, payload.mutable_stream())) return failure;
      return Add(payload, at);
    }
    return Bad(at, kKinds);
  }

  std::optional<Failure> ReadRequest(const Value& value, const At& at) {
    v1::SetPayloadRequest request;
    if (auto failure = FromJson(value, kRequest, at, &request)) return failure;
    if (auto failure = NameConnector(request.connector_id(), at)) return failure;
    for (int i = 0; i < request.payloads_size(); ++i) {
      if (auto failure = AddElement(request.payloads(i), value, i, at)) return failure;
    }
    return {};
  }

  std::optional<Failure> ReadResponse(const Value& value, const At& at) {
    v1::GetPayloadResponse response;
    if (auto failure = FromJson(value, kResponse, at, &response)) return failure;
    for (int i = 0; i < response.payloads_size(); ++i) {
      if (response.payloads(i).stream().discovered()) continue;
      if (auto failure = AddElement(response.payloads(i), value, i, at)) return failure;
    }
    return {};
  }

  // A payload of the message that `whole` is.
  std::optional<Failure> AddElement(const v1::Payload& payload, const Value& whole, int index, const At& at) {
    const std::string element = "payloads" + ElementPath(whole["payloads"], index);
    if (payload.has_config() || payload.has_stream()) return Add(payload, at.Member(element));
    return Bad(at.Member(element), element + " is an empty payload: it needs a \"stream\" or a \"config\"");
  }

  std::optional<Failure> ReadPlatform(const Value& value, const At& at) {
    const bool is_stream = Has(value, "stream");
    if (is_stream == Has(value, "config")) {
      return Bad(at, is_stream ? "has both \"stream\" and \"config\": put them in two files, or an array of two"
                               : "has neither \"stream\" nor \"config\"; " + PlatformHint(value) + kKinds);
    }
    const std::string kind = is_stream ? "stream" : "config";
    if (auto failure = CheckKeys(value, is_stream ? kStreamKeys : kConfigKeys, kind, at)) return failure;
    const auto name = StringAt(value, "name");
    if (!name) return Bad(at.Member("name"), "\"name\" must be a string that is not empty");
    if (!value[kind.c_str()].IsObject()) return Bad(at.Member(kind), "\"" + kind + "\" must be an object");
    if (auto failure = NameConnector(StringAt(value, "connectorInstanceID").value_or(""), at)) return failure;

    v1::Payload payload;
    if (!is_stream) {
      if (auto failure =
              FromJson(value["config"], kStruct, at.Member("config"), payload.mutable_config()->mutable_metadata())) {
        return failure;
      }
      return Add(payload, at);
    }
    v1::Stream& stream = *payload.mutable_stream();
    const std::string direction = StringAt(value, "direction").value_or("");
    if (direction != "INGRESS" && direction != "EGRESS") {
      return Bad(at.Member("direction"),
                 "\"direction\" must be \"INGRESS\" (from the data service) or \"EGRESS\" (to it)");
    }
    stream.set_direction(direction == "INGRESS" ? v1::STREAM_DIRECTION_INGRESS : v1::STREAM_DIRECTION_EGRESS);
    if (Has(value, "transportChannel") && Has(value, "transport_channel")) {
      return Bad(at, "\"transportChannel\" and \"transport_channel\" are the same: keep one");
    }
    const auto channel = StringAt(value, "transportChannel");
    stream.set_id(StringAt(value, "id").value_or(*name));
    stream.set_transport_channel(channel ? *channel : StringAt(value, "transport_channel").value_or(*name));
    if (auto failure = FromJson(value["stream"], kStruct, at.Member("stream"), stream.mutable_metadata()))
      return failure;
    return Add(payload, at);
  }

  std::optional<Failure> Add(const v1::Payload& payload, const At& at) {
    if (payload.has_config()) {
      MergeConfig(payload.config().metadata(), &request_);
      sources_.config += (sources_.config.empty() ? "" : ", ") + at.place;
      return {};
    }
    if (!payload.has_stream()) return Bad(at, "an empty payload; " + std::string(kKinds));
    const auto [first, added] = sources_.streams.emplace(payload.stream().id(), at.place);
    if (!added) {
      return Bad(at, "the stream \"" + payload.stream().id() + "\" is already in " + first->second +
                         ": an id names one stream");
    }
    *request_.add_payloads() = payload;
    return {};
  }

  std::optional<Failure> NameConnector(const std::string& id, const At& at) {
    if (id.empty() || id == request_.connector_id()) return {};
    if (!request_.connector_id().empty()) {
      return Bad(at, "is for the connector \"" + id + "\", the files before it are for \"" + request_.connector_id() +
                         "\": set one connector at a time");
    }
    request_.set_connector_id(id);
    return {};
  }

  // Of the file that is being read.
  std::string name_;
  std::string text_;

  v1::SetPayloadRequest request_;
  Sources sources_;
};

}  // namespace

Result<v1::SetPayloadRequest> ReadPayloads(const std::vector<std::string>& files, std::istream& standard_input,
                                           Sources* sources) {
  Reader reader;
  for (const std::string& file : files) {
    const auto text = ReadFile(file, standard_input);
    if (!text.ok()) return text.failure();
    if (auto failure = reader.Read(text.value(), file)) return *failure;
  }
  return reader.Take(sources);
}

Result<v1::SetPayloadRequest> ParsePayloads(const std::string& text, const std::string& file) {
  Reader reader;
  if (auto failure = reader.Read(text, file)) return *failure;
  return reader.Take(nullptr);
}

}  // namespace kps::cli
