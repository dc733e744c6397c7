#include "request_body.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>

namespace kps::plugins {
namespace {

void append_message(std::string& body, const plugin::Message& message, Framing framing) {
  const size_t begin = body.size();
  body.append(message.size == 0 ? "" : message.data, message.size);
  if (framing != Framing::kLines) return;
  // In JSON a line end stands between values alone, never in a string: a space means the same.
  std::replace_if(
      body.begin() + static_cast<std::ptrdiff_t>(begin), body.end(), [](char c) { return c == '\n' || c == '\r'; },
      ' ');
  body += '\n';
}

}  // namespace

bool is_json(const char* data, size_t size) {
  if (size == 0) return false;
  // Iterative: brackets in brackets cost no stack. Numbers as strings: none is converted.
  constexpr unsigned kFlags =
      rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  rapidjson::MemoryStream stream(data, size);
  rapidjson::BaseReaderHandler<> nothing;
  rapidjson::Reader reader;
  // A NUL ends the text for the reader, wherever it stands.
  return !reader.Parse<kFlags>(stream, nothing).IsError() && stream.Tell() == size;
}

RequestBody body_of(const plugin::Messages& messages, size_t first, size_t messages_max, Framing framing) {
  RequestBody body;
  const size_t last = first + std::min(messages.size() - first, framing == Framing::kNone ? 1 : messages_max);
  if (framing == Framing::kArray) body.bytes.push_back('[');
  for (size_t i = first; i < last; ++i) {
    if (framing != Framing::kNone && !is_json(messages[i].data, messages[i].size)) break;
    if (framing == Framing::kArray && i > first) body.bytes.push_back(',');
    append_message(body.bytes, messages[i], framing);
    ++body.messages;
  }
  if (framing == Framing::kArray) body.bytes.push_back(']');
  return body;
}

}  // namespace kps::plugins
