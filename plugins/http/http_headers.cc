#include "http_headers.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <strings.h>

#include <cstring>
#include <kps/plugin.hpp>

namespace kps::plugins {
namespace {

constexpr const char* kSecret[] = {"authorization", "proxy-authorization", "cookie"};
constexpr const char* kOwn[] = {"content-type", "content-length", "transfer-encoding", "host",
                                "connection",   "expect",         "if-none-match",     "if-modified-since"};

bool is_token(const std::string& name) {
  constexpr char kOthers[] = "!#$%&'*+-.^_`|~";
  for (const char c : name) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!alphanumeric && (c == '\0' || std::strchr(kOthers, c) == nullptr)) return false;
  }
  return !name.empty();
}

bool is_value(const std::string& value) {
  for (const char c : value) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F) return false;
  }
  return !value.empty();
}

std::string header_of(const std::string& name, const rapidjson::Value& value, const std::string& what) {
  const auto refuse = [&](const std::string& why) {
    throw plugin::Failure(KPS_INVALID_ARGUMENT, what + ": \"headers\": \"" + name + "\" " + why);
  };
  if (!is_token(name)) refuse("is not a name of a header");
  for (const char* secret : kSecret) {
    if (strcasecmp(name.c_str(), secret) == 0) refuse("is for secrets: use tokenFile, or username and passwordFile");
  }
  for (const char* own : kOwn) {
    if (strcasecmp(name.c_str(), own) == 0) refuse("is set by the plugin itself");
  }
  if (!value.IsString()) refuse("must be a string");
  const std::string text(value.GetString(), value.GetStringLength());
  if (!is_value(text)) refuse("must be one line that is not empty");
  return name + ": " + text;
}

}  // namespace

SplitMetadata split_headers(const std::string& metadata_json, const std::string& what) {
  rapidjson::Document document;
  document.Parse(metadata_json.data(), metadata_json.size());
  if (document.HasParseError() || !document.IsObject() || !document.HasMember("headers")) return {metadata_json, {}};
  SplitMetadata split;
  const rapidjson::Value& headers = document["headers"];
  if (!headers.IsObject()) {
    throw plugin::Failure(KPS_INVALID_ARGUMENT, what + ": \"headers\" must be an object of names and strings");
  }
  for (const auto& member : headers.GetObject()) {
    const std::string name(member.name.GetString(), member.name.GetStringLength());
    split.headers.push_back(header_of(name, member.value, what));
  }
  document.RemoveMember("headers");
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  document.Accept(writer);
  split.json.assign(buffer.GetString(), buffer.GetSize());
  return split;
}

}  // namespace kps::plugins
