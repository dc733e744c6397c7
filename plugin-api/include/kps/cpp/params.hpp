// Reads the JSON object in which a plugin gets its parameters, and names the key in every complaint.
// The one header that needs a library, RapidJSON (header-only; Debian: rapidjson-dev), so kps/plugin.hpp leaves it out:
// include it where it is used. A plugin that reads JSON with another library does without.
#ifndef KPS_CPP_PARAMS_HPP
#define KPS_CPP_PARAMS_HPP

#if defined(__has_include)
#if !__has_include(<rapidjson/document.h>)
#error "kps/cpp/params.hpp needs RapidJSON: install it (Debian: rapidjson-dev), or read the JSON with another library"
#endif
#endif

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>

#include "failure.hpp"

namespace kps {
namespace plugin {

// The functions that read a key throw a Failure with KPS_INVALID_ARGUMENT when its value is not what they say.
class Params {
 public:
  // `what` starts every complaint: "stream orders, metadata". An empty text counts as {}.
  Params(const std::string &json, std::string what) : what_(std::move(what)) {
    document_.Parse(json.empty() ? "{}" : json.c_str());
    if (document_.HasParseError()) {
      fail("is not JSON at byte " + std::to_string(document_.GetErrorOffset()) + ": " +
           rapidjson::GetParseError_En(document_.GetParseError()));
    }
    if (!document_.IsObject()) fail("must be a JSON object");
  }

  std::string required_string(const char *key) {
    const rapidjson::Value *value = find(key);
    if (value == nullptr) fail("\"" + std::string(key) + "\" is missing");
    return as_string(key, *value);
  }

  std::string string_or(const char *key, std::string fallback) {
    const rapidjson::Value *value = find(key);
    return value == nullptr ? std::move(fallback) : as_string(key, *value);
  }

  std::string choice_or(const char *key, std::initializer_list<const char *> choices, const char *fallback) {
    std::string value = string_or(key, fallback);
    std::string list;
    for (const char *choice : choices) {
      if (value == choice) return value;
      list += list.empty() ? "\"" : ", \"";
      list += std::string(choice) + "\"";
    }
    fail("\"" + std::string(key) + "\" must be one of " + list + ", but is \"" + value + "\"");
  }

  // A whole number; 65536.0 counts as one, because the platform's metadata know only floating point.
  uint64_t integer_or(const char *key, uint64_t fallback, uint64_t min, uint64_t max) {
    const rapidjson::Value *value = find(key);
    if (value == nullptr) return fallback;
    const bool whole =
        value->IsUint64() || (value->IsDouble() && std::floor(value->GetDouble()) == value->GetDouble() &&
                              value->GetDouble() >= 0 && value->GetDouble() < 9007199254740992.0);
    const uint64_t number = !whole              ? 0
                            : value->IsUint64() ? value->GetUint64()
                                                : static_cast<uint64_t>(value->GetDouble());
    if (!whole || number < min || number > max) {
      fail("\"" + std::string(key) + "\" must be a whole number from " + std::to_string(min) + " to " +
           std::to_string(max));
    }
    return number;
  }

  bool bool_or(const char *key, bool fallback) {
    const rapidjson::Value *value = find(key);
    if (value == nullptr) return fallback;
    if (!value->IsBool()) fail("\"" + std::string(key) + "\" must be true or false");
    return value->GetBool();
  }

  double number_or(const char *key, double fallback, double min) {
    const rapidjson::Value *value = find(key);
    if (value == nullptr) return fallback;
    if (!value->IsNumber() || value->GetDouble() < min)
      fail("\"" + std::string(key) + "\" must be a number of at least " + std::to_string(min));
    return value->GetDouble();
  }

  // To be called last: a key that nobody asked for is a mistake of the author.
  void refuse_unknown_keys() const {
    for (const auto &member : document_.GetObject()) {
      if (known_.count(member.name.GetString()) == 0) {
        std::string list;
        for (const std::string &key : known_) list += (list.empty() ? "" : ", ") + key;
        fail("\"" + std::string(member.name.GetString()) + "\" is not a known key; known are: " + list);
      }
    }
  }

  [[noreturn]] void fail(const std::string &text) const { throw Failure(KPS_INVALID_ARGUMENT, what_ + ": " + text); }

 private:
  const rapidjson::Value *find(const char *key) {
    known_.insert(key);
    // Comparing rapidjson's iterators is ambiguous to clang in C++20.
    return document_.HasMember(key) ? &document_[key] : nullptr;
  }

  std::string as_string(const char *key, const rapidjson::Value &value) const {
    if (!value.IsString() || value.GetStringLength() == 0)
      fail("\"" + std::string(key) + "\" must be a string that is not empty");
    return std::string(value.GetString(), value.GetStringLength());
  }

  std::string what_;
  rapidjson::Document document_;
  std::set<std::string> known_;
};

}  // namespace plugin
}  // namespace kps

#endif
