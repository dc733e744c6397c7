// What is wrong with JSON text that is to become a message of the contract: what protobuf's parser says of it, taken
// apart, as it names no line; and what it does not say.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kps {

// Objects and arrays of metadata in each other. An object takes three levels of protobuf's own limit of 100, which
// clients have for what they parse.
inline constexpr int kMetadataDepthMax = 32;

struct JsonComplaint {
  std::string path;  // "payloads[0].stream.chanel": the member that it is about; may be empty
  std::string text;
};

// Of "(payloads[0].stream) chanel: Cannot find field.", "(payloads[0].stream.id): invalid value ..." or a sentence.
JsonComplaint SplitJsonComplaint(std::string_view said);

// Where objects and arrays in each other first get deeper than `depth_max`; nothing: nowhere.
std::optional<std::size_t> FindDeeperThan(int depth_max, std::string_view text);

// An integer that is no double, as all numbers of a google.protobuf.Struct are.
struct InexactInteger {
  std::size_t offset = 0;
  std::string description;  // "9007199254740993 would become ...: write it as a string"
};

// The first one in `text`, which is valid JSON.
std::optional<InexactInteger> FindInexactInteger(std::string_view text);

}  // namespace kps
