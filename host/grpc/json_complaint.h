// What protobuf's JSON parser says about a text, taken apart: it names no line.
#pragma once

#include <string>
#include <string_view>

namespace kps {

struct JsonComplaint {
  std::string path;  // "payloads[0].stream.chanel": the member that it is about; may be empty
  std::string text;
};

// Of "(payloads[0].stream) chanel: Cannot find field." or "(payloads[0].stream.id): invalid value ...".
JsonComplaint SplitJsonComplaint(std::string_view said);

}  // namespace kps
