// One stream, or a config, from a file or from the command line, for those who do without the contract. What
// `streams set` and `config set` read is read in the same way; an object that is none of that is taken for the
// metadata, or the config, itself.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "cli/result.h"

namespace kps::cli {

enum class StreamDirection { kIngress, kEgress };

struct StreamFile {
  std::string id = "run";
  std::optional<StreamDirection> direction;  // nothing: the file does not say
  std::string channel = "run";
  std::string metadata_json = "{}";  // keys in order
};

// The options that give them: what JSON on the command line is called in sentences.
inline constexpr char kStreamOption[] = "--stream";
inline constexpr char kConfigOption[] = "--config";

// `source` is JSON itself, an object or an array of them, or else a file; - is `standard_input`. Several streams are a
// failure.
Result<StreamFile> ReadStreamFile(const std::string& source, std::istream& standard_input);

// A JSON object.
Result<std::string> ReadConfigFile(const std::string& source, std::istream& standard_input);

// What sentences call it: `option`, or the file.
std::string SourceName(const std::string& source, const char* option);

}  // namespace kps::cli
