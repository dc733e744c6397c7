// The tools of a plugin's author: commands below `kps-connector plugin` that need no host. Each has a header with one
// function, AddNAME, which puts its command and options into the group.
#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>

#include "cli/result.h"

namespace CLI {
class App;
}

namespace kps::cli {

// What a tool works with.
struct ToolContext {
  bool json = false;              // -o json
  std::size_t row_width_max = 0;  // of a table; 0: not cut
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

// What the command line asks for. Set while it is parsed, run after it; empty: another kind of command.
using ToolJob = std::function<ExitCode(const ToolContext&)>;

}  // namespace kps::cli
