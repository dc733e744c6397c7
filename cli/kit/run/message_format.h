// Messages as lines that a person reads and writes.
#pragma once

#include <string>
#include <string_view>

#include "cli/result.h"
#include "host/core/message.h"

namespace kps::cli {

enum class MessageFormat {
  kText,  // the payload as it is
  kHex,   // two digits for each byte
  kJson,  // {"timestampNs": 1, "payload": "text"}; a payload that is no UTF-8 stands in "payloadHex"
};

// Appends one line with its newline.
void AppendMessage(const MessageView& message, MessageFormat format, std::string* out);

// The payload of a line without its newline: what AppendMessage writes comes back as it was, but for kText with
// newlines in it. The failure is a sentence about the line.
Result<std::string> ParseMessage(std::string_view line, MessageFormat format);

}  // namespace kps::cli
