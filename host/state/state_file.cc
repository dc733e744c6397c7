#include "host/state/state_file.h"

#include <rapidjson/document.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "host/state/crc64.h"

namespace kps {
namespace {

using rapidjson::Value;

constexpr std::uint64_t kVersion = 1;
constexpr std::string_view kDesiredFormat = "kps-connector-host desired";
constexpr std::string_view kPositionsFormat = "kps-connector-host positions";
constexpr char kHexDigits[] = "0123456789abcdef";

// Where RapidJSON's writer puts its characters.
struct Sink {
  using Ch = char;
  std::string* text;
  void Put(char c) { text->push_back(c); }
  void Flush() {}
};
using Writer = rapidjson::Writer<Sink>;

void Put(Writer* writer, std::string_view text) {
  writer->String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void PutKey(Writer* writer, std::string_view key) {
  writer->Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
}

void PutMember(Writer* writer, std::string_view key, std::string_view text) {
  PutKey(writer, key);
  Put(writer, text);
}

void PutMember(Writer* writer, std::string_view key, std::uint64_t number) {
  PutKey(writer, key);
  writer->Uint64(number);
}

// `bytes` under `key` when a terminal can show them, else in hexadecimal under key_hex.
void PutBytes(Writer* writer, std::string_view key, std::string_view bytes) {
  bool printable = true;
  for (const char c : bytes) printable = printable && c >= ' ' && c <= '~';
  if (printable) return PutMember(writer, key, bytes);
  std::string hex;
  for (const char c : bytes) {
    hex += kHexDigits[static_cast<unsigned char>(c) >> 4];
    hex += kHexDigits[c & 0xF];
  }
  PutMember(writer, std::string(key) + "_hex", hex);
}

// Iterative: how deep the text nests is the platform's choice.
bool Parse(std::string_view text, rapidjson::Document* document) {
  document->Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  return !document->HasParseError();
}

std::string TextOf(const Value& value) {
  std::string text;
  Sink sink{&text};
  Writer writer(sink);
  value.Accept(writer);
  return text;
}

// JSON as it is when that is also how RapidJSON writes what it reads; else as a string under key_text.
void PutJson(Writer* writer, std::string_view key, std::string_view json) {
  rapidjson::Document document;
  if (!Parse(json, &document) || TextOf(document) != json) {
    return PutMember(writer, std::string(key) + "_text", json);
  }
  PutKey(writer, key);
  writer->RawValue(json.data(), json.size(), document.GetType());
}

void BeginFile(std::string_view format, std::string_view connector_id, std::string* text) {
  text->clear();
  Sink sink{text};
  Writer writer(sink);
  writer.StartObject();
  PutMember(&writer, "format", format);
  PutMember(&writer, "version", kVersion);
  PutMember(&writer, "connector", connector_id);
  writer.EndObject();
  *text += '\n';
}

std::string LastLine(std::string_view before) {
  char line[32];
  std::snprintf(line, sizeof line, "{\"crc64\":\"%016llx\"}\n", static_cast<unsigned long long>(Crc64(before)));
  return line;
}

const Value* Find(const Value& object, std::string_view key) {
  if (!object.IsObject()) return nullptr;
  const auto member = object.FindMember(Value(rapidjson::StringRef(key.data(), key.size())));
  return member == object.MemberEnd() ? nullptr : &member->value;
}

std::string_view View(const Value& string) { return {string.GetString(), string.GetStringLength()}; }

bool Get(const Value& object, std::string_view key, std::string* text) {
  const Value* value = Find(object, key);
  if (value == nullptr || !value->IsString()) return false;
  *text = View(*value);
  return true;
}

bool Get(const Value& object, std::string_view key, std::uint64_t* number) {
  const Value* value = Find(object, key);
  if (value == nullptr || !value->IsUint64()) return false;
  *number = value->GetUint64();
  return true;
}

bool GetBytes(const Value& object, std::string_view key, std::string* bytes) {
  if (Get(object, key, bytes)) return true;
  std::string hex;
  if (!Get(object, std::string(key) + "_hex", &hex) || hex.size() % 2 != 0) return false;
  const std::string_view digits = kHexDigits;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const std::size_t high = digits.find(hex[i]);
    const std::size_t low = digits.find(hex[i + 1]);
    if (high == digits.npos || low == digits.npos) return false;
    bytes->push_back(static_cast<char>(high << 4 | low));
  }
  return true;
}

bool GetJson(const Value& object, std::string_view key, std::string* json) {
  if (const Value* value = Find(object, key); value != nullptr) {
    *json = TextOf(*value);
    return true;
  }
  return Get(object, std::string(key) + "_text", json);
}

Error Damaged(const std::string& how) { return Error(Code::kDataLoss, "is damaged: " + how); }

// Checks the first and the last line, and parses what is between them.
Error OpenFile(std::string_view text, std::string_view format, std::string_view connector_id,
               rapidjson::Document* content) {
  if (text.empty()) return Damaged("it is empty");
  const std::size_t first_size = std::min(text.find('\n'), text.size());
  rapidjson::Document header;
  std::string file_format;
  std::uint64_t version = 0;
  const bool readable = Parse(text.substr(0, first_size), &header) && Get(header, "format", &file_format) &&
                        Get(header, "version", &version);
  // Before the checksum, which may be another one in a later version.
  if (readable && file_format == format && version > kVersion) {
    return Error(Code::kUnimplemented, "is of version " + std::to_string(version) + ", but this program knows only " +
                                           std::to_string(kVersion) +
                                           ": use the program that wrote it, or another directory");
  }
  const std::size_t last_size = LastLine("").size();
  const std::size_t checked_size = text.size() < last_size ? 0 : text.size() - last_size;
  if (LastLine(text.substr(0, checked_size)) != text.substr(checked_size)) {
    return Damaged("its checksum does not fit what it holds");
  }
  if (!readable || file_format != format) {
    return Error(Code::kDataLoss,
                 "is no file of this program: its first line does not say \"" + std::string(format) + "\"");
  }
  std::string connector;
  if (!Get(header, "connector", &connector)) return Damaged("it names no connector");
  if (!connector.empty() && !connector_id.empty() && connector != connector_id) {
    return Error(Code::kDataLoss,
                 "is of connector \"" + connector + "\", but this is \"" + std::string(connector_id) + "\"");
  }
  if (!Parse(text.substr(first_size, checked_size - first_size), content)) return Damaged("its content is no JSON");
  return {};
}

std::optional<Direction> ParseDirection(std::string_view name) {
  for (const Direction direction : {Direction::kUnspecified, Direction::kIngress, Direction::kEgress}) {
    if (name == DirectionName(direction)) return direction;
  }
  return std::nullopt;
}

}  // namespace

void EncodeDesired(const DesiredState& state, std::string_view connector_id, std::string* text) {
  BeginFile(kDesiredFormat, connector_id, text);
  *text += "{\"saves\":" + std::to_string(state.saves) + ",\"streams\":[\n";
  Sink sink{text};
  Writer writer(sink);
  bool first = true;
  for (const auto& [id, stream] : state.streams) {
    if (!std::exchange(first, false)) *text += ",\n";
    writer.Reset(sink);
    writer.StartObject();
    PutMember(&writer, "id", id);
    PutMember(&writer, "generation", state.generations.at(id));
    PutMember(&writer, "direction", DirectionName(stream.direction));
    PutMember(&writer, "channel", stream.channel);
    PutJson(&writer, "metadata", stream.metadata_json);
    writer.EndObject();
  }
  *text += "\n],\"config\":[\n";
  first = true;
  for (const auto& [key, value] : state.config) {
    if (!std::exchange(first, false)) *text += ",\n";
    writer.Reset(sink);
    writer.StartObject();
    PutMember(&writer, "key", key);
    PutJson(&writer, "value", value);
    writer.EndObject();
  }
  *text += "\n]}\n";
  *text += LastLine(*text);
}

void EncodePositions(std::span<const SavedPoint> points, std::string_view connector_id, std::string* text) {
  BeginFile(kPositionsFormat, connector_id, text);
  *text += "{\"streams\":[\n";
  Sink sink{text};
  Writer writer(sink);
  bool first = true;
  for (const SavedPoint& saved : points) {
    if (!std::exchange(first, false)) *text += ",\n";
    writer.Reset(sink);
    writer.StartObject();
    PutMember(&writer, "id", saved.stream_id);
    PutMember(&writer, "generation", saved.generation);
    PutBytes(&writer, "position", saved.point.position);
    PutBytes(&writer, "run", saved.point.run);
    PutMember(&writer, "message_count", saved.point.message_count);
    writer.EndObject();
  }
  *text += "\n]}\n";
  *text += LastLine(*text);
}

Result<DesiredState> DecodeDesired(std::string_view text, std::string_view connector_id) {
  rapidjson::Document content;
  if (Error error = OpenFile(text, kDesiredFormat, connector_id, &content); !error.ok()) return error;
  DesiredState state;
  const Value* streams = Find(content, "streams");
  const Value* config = Find(content, "config");
  if (!Get(content, "saves", &state.saves) || streams == nullptr || !streams->IsArray() || config == nullptr ||
      !config->IsArray()) {
    return Damaged("it lacks \"saves\", \"streams\" or \"config\"");
  }
  for (const Value& entry : streams->GetArray()) {
    StreamSpec stream;
    std::string direction;
    std::uint64_t generation = 0;
    const bool complete = Get(entry, "id", &stream.id) && Get(entry, "generation", &generation) &&
                          Get(entry, "direction", &direction) && Get(entry, "channel", &stream.channel) &&
                          GetJson(entry, "metadata", &stream.metadata_json);
    const auto parsed = ParseDirection(direction);
    if (!complete || !parsed) return Damaged("a stream of it is not complete");
    stream.direction = *parsed;
    state.generations[stream.id] = generation;
    state.streams[stream.id] = std::move(stream);
  }
  for (const Value& entry : config->GetArray()) {
    std::string key;
    if (!Get(entry, "key", &key) || !GetJson(entry, "value", &state.config[key])) {
      return Damaged("its config is not complete");
    }
  }
  return state;
}

Result<std::vector<SavedPoint>> DecodePositions(std::string_view text, std::string_view connector_id) {
  rapidjson::Document content;
  if (Error error = OpenFile(text, kPositionsFormat, connector_id, &content); !error.ok()) return error;
  const Value* streams = Find(content, "streams");
  if (streams == nullptr || !streams->IsArray()) return Damaged("it lacks \"streams\"");
  std::vector<SavedPoint> points;
  for (const Value& entry : streams->GetArray()) {
    SavedPoint& saved = points.emplace_back();
    const bool complete = Get(entry, "id", &saved.stream_id) && Get(entry, "generation", &saved.generation) &&
                          GetBytes(entry, "position", &saved.point.position) &&
                          GetBytes(entry, "run", &saved.point.run) &&
                          Get(entry, "message_count", &saved.point.message_count);
    if (!complete) return Damaged("a stream of it is not complete");
  }
  return points;
}

}  // namespace kps
