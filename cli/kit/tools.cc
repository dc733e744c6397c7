#include "cli/kit/tools.h"

#include <CLI/App.hpp>

namespace kps::cli {

void AddTools(CLI::App* group, ToolJob* job) {
  static_cast<void>(group);
  static_cast<void>(job);
}

}  // namespace kps::cli
