#include "cli/kit/run/message_format.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <optional>

#include "host/plugin/hex.h"

namespace kps::cli {
namespace {

std::string Hex(std::string_view bytes) {
  return ToHex(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> FromHex(std::string_view text) {
  if (text.size() % 2 != 0) return {};
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = Digit(text[i]);
    const int low = Digit(text[i + 1]);
    if (high < 0 || low < 0) return {};
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

using ValidatingWriter = rapidjson::Writer<rapidjson::StringBuffer, rapidjson::UTF8<>, rapidjson::UTF8<>,
                                           rapidjson::CrtAllocator, rapidjson::kWriteValidateEncodingFlag>;

// false: the payload is no UTF-8, and `buffer` holds half an object.
bool WriteJson(const MessageView& message, bool hex, rapidjson::StringBuffer* buffer) {
  ValidatingWriter writer(*buffer);
  const std::string digits = hex ? Hex(message.payload) : "";
  const std::string_view text = hex ? digits : message.payload;
  writer.StartObject();
  writer.Key("timestampNs");
  writer.Int64(message.timestamp_ns);
  writer.Key(hex ? "payloadHex" : "payload");
  const bool valid = writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  writer.EndObject();
  return valid;
}

Result<std::string> ParseJsonMessage(std::string_view line) {
  const Failure wrong{kExitUsage, R"(is not {"payload": "text"} or {"payloadHex": "00ff"})"};
  rapidjson::Document object;
  object.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(line.data(), line.size());
  if (object.HasParseError() || !object.IsObject()) return wrong;
  const rapidjson::Value& value = object;
  if (value.HasMember("payload") && value["payload"].IsString()) {
    return std::string(value["payload"].GetString(), value["payload"].GetStringLength());
  }
  if (!value.HasMember("payloadHex") || !value["payloadHex"].IsString()) return wrong;
  auto bytes = FromHex({value["payloadHex"].GetString(), value["payloadHex"].GetStringLength()});
  return bytes ? Result<std::string>(std::move(*bytes)) : wrong;
}

}  // namespace

void AppendMessage(const MessageView& message, MessageFormat format, std::string* out) {
  switch (format) {
    case MessageFormat::kText: *out += message.payload; break;
    case MessageFormat::kHex: *out += Hex(message.payload); break;
    case MessageFormat::kJson: {
      rapidjson::StringBuffer buffer;
      if (!WriteJson(message, false, &buffer)) {
        buffer.Clear();
        WriteJson(message, true, &buffer);
      }
      out->append(buffer.GetString(), buffer.GetSize());
      break;
    }
  }
  *out += '\n';
}

Result<std::string> ParseMessage(std::string_view line, MessageFormat format) {
  if (format == MessageFormat::kText) return std::string(line);
  if (format == MessageFormat::kJson) return ParseJsonMessage(line);
  auto bytes = FromHex(line);
  if (!bytes) return Failure{kExitUsage, "is not hex: two digits for each byte are needed"};
  return std::move(*bytes);
}

}  // namespace kps::cli
