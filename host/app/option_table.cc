#include "host/app/option_table.h"

#include <CLI/CLI.hpp>

namespace kps {
namespace {

std::string Cell(const std::string& text, const std::string& quote) {
  return text.empty() ? "–" : quote + text + quote;
}

}  // namespace

std::string OptionTable(const CLI::App& app) {
  std::string table = "| option | environment | default | meaning |\n|---|---|---|---|\n";
  for (const CLI::Option* option : app.get_options()) {
    const std::string type = option->get_type_name();
    table += "| `" + option->get_name() + (type.empty() ? "" : " " + type) + "` | " + Cell(option->get_envname(), "`") +
             " | " + Cell(option->get_default_str(), "`") + " | " + option->get_description() + " |\n";
  }
  return table;
}

}  // namespace kps
