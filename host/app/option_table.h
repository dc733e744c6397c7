// The option table of README.md, made from the options themselves.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace kps {

// A Markdown table: option, environment, default, meaning.
std::string OptionTable(const CLI::App& app);

}  // namespace kps
