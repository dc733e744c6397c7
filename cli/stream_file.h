// One stream, or a config, from a file, for those who do without the contract. What `streams set` and `config set` read
// is read in the same way; an object that is none of that is taken for the metadata, or the config, itself.
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

// `file`: - is `standard_input`. A file with several streams is a failure.
Result<StreamFile> ReadStreamFile(const std::string& file, std::istream& standard_input);

// A JSON object.
Result<std::string> ReadConfigFile(const std::string& file, std::istream& standard_input);

}  // namespace kps::cli
