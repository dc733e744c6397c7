// The host's log: one line on stderr for each change of state, as text or as JSON.
#pragma once

#include <memory>

#include "host/app/options.h"
#include "host/core/logger.h"

namespace kps {

// Any thread may log. Lines below `level` are dropped, until SetLevel says another one.
std::unique_ptr<Logger> MakeLogger(LogLevel level, LogFormat format);

// One line, without its newline; control characters are escaped, so that no text can forge a line.
std::string FormatLine(LogFormat format, LogLevel level, std::string_view stream_id, std::string_view text,
                       std::string_view time);

}  // namespace kps
