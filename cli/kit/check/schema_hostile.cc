#include "cli/kit/check/schema_hostile.h"

#include <rapidjson/document.h>

#include <array>
#include <utility>
#include <vector>

#include "cli/json_text.h"

namespace kps::cli {
namespace {

using rapidjson::Document;
using rapidjson::Value;

constexpr std::size_t kLongText = 100'000;
constexpr int kNesting = 500;

// A document in so many is not even JSON.
constexpr unsigned kGarbageOneIn = 8;

constexpr std::array<const char*, 26> kNumbers{"0",
                                               "-0",
                                               "-1",
                                               "1",
                                               "2",
                                               "0.5",
                                               "-0.5",
                                               "1e308",
                                               "-1e308",
                                               "5e-324",
                                               "127",
                                               "128",
                                               "255",
                                               "256",
                                               "65535",
                                               "65536",
                                               "2147483647",
                                               "2147483648",
                                               "-2147483648",
                                               "-2147483649",
                                               "4294967295",
                                               "4294967296",
                                               "9223372036854775807",
                                               "9223372036854775808",
                                               "-9223372036854775808",
                                               "18446744073709551615"};

const std::array<std::string, 12> kTexts{"",
                                         " ",
                                         "%s%n%p",
                                         std::string("a\0b", 3),
                                         "\xC3\xA4\xF0\x9F\x98\x80",
                                         "\n\r\t",
                                         "\x7F",
                                         "'\";--",
                                         "sample",
                                         "$(exit 1)",
                                         "{}",
                                         "a b c ="};

class Spoiler {
 public:
  Spoiler(Document* document, std::mt19937_64* random) : allocator_(document->GetAllocator()), random_(*random) {}

  // Changes something in `value`, an object or array, or below it.
  void Spoil(Value* value) {
    std::vector<Value*> below = {value};
    Collect(value, &below);
    Value& chosen = *below[Below(below.size())];
    if (chosen.IsObject() && Below(3) > 0) return SpoilMembers(&chosen);
    chosen = Anything();
  }
  std::size_t Below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }

 private:
  static void Collect(Value* value, std::vector<Value*>* all) {
    if (value->IsObject()) {
      for (auto member = value->MemberBegin(); member < value->MemberEnd(); ++member) {
        all->push_back(&member->value);
        Collect(&member->value, all);
      }
    }
    if (value->IsArray()) {
      for (Value& element : value->GetArray()) {
        all->push_back(&element);
        Collect(&element, all);
      }
    }
  }

  void SpoilMembers(Value* object) {
    if (object->MemberCount() > 0 && Below(3) == 0) {
      object->EraseMember(object->MemberBegin() + static_cast<std::ptrdiff_t>(Below(object->MemberCount())));
      return;
    }
    if (object->MemberCount() > 0 && Below(2) == 0) {  // the same key twice
      const auto twin = object->MemberBegin() + static_cast<std::ptrdiff_t>(Below(object->MemberCount()));
      Value name(twin->name, allocator_);
      object->AddMember(name, Anything().Move(), allocator_);
      return;
    }
    object->AddMember(Text(), Anything().Move(), allocator_);
  }

  Value Text() {
    std::string text = kTexts[Below(kTexts.size())];
    if (Below(20) == 0) text.assign(kLongText, 'x');
    return Value(text.data(), static_cast<rapidjson::SizeType>(text.size()), allocator_);
  }

  Value Number() {
    Document number(&allocator_);
    number.Parse(kNumbers[Below(kNumbers.size())]);
    return Value(number, allocator_);
  }

  Value Nested() {
    Value nested(rapidjson::kArrayType);
    for (int i = 0; i < kNesting; ++i) {
      Value outer(rapidjson::kArrayType);
      outer.PushBack(nested, allocator_);
      nested = std::move(outer);
    }
    return nested;
  }

  Value Anything() {
    switch (Below(8)) {
      case 0: return Value();
      case 1: return Value(Below(2) == 0);
      case 2: return Value(rapidjson::kObjectType);
      case 3: return Below(10) == 0 ? Nested() : Value(rapidjson::kArrayType);
      case 4:
      case 5: return Text();
      default: return Number();
    }
  }

  Document::AllocatorType& allocator_;
  std::mt19937_64& random_;
};

}  // namespace

HostileParameters::HostileParameters(std::string sample, std::uint64_t seed)
    : sample_(std::move(sample)), random_(seed) {}

std::string HostileParameters::Next() { return random_() % kGarbageOneIn == 0 ? Garbage() : Spoiled(); }

std::string HostileParameters::Spoiled() {
  Document document;
  document.Parse(sample_.data(), sample_.size());
  if (document.HasParseError() || !document.IsObject()) document.SetObject();
  Spoiler spoiler(&document, &random_);
  for (std::size_t i = 0, count = 1 + spoiler.Below(3); i < count; ++i) spoiler.Spoil(&document);
  return JsonText(document);
}

std::string HostileParameters::Garbage() {
  std::string text = Spoiled();
  switch (random_() % 4) {
    case 0: text.resize(random_() % (text.size() + 1)); return text;
    case 1: return "";
    case 2: return std::string(1 + random_() % 4, '[') + text;
    default: break;
  }
  // Hosts pass on UTF-8 alone.
  for (int i = 0; i < 3 && !text.empty(); ++i) text[random_() % text.size()] = static_cast<char>(random_() % 128);
  return text;
}

}  // namespace kps::cli
