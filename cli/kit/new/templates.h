// The files of samples/plugins, as they were when this program was built.
#pragma once

#include <span>
#include <string_view>

namespace kps::cli {

struct TemplateFile {
  std::string_view folder;  // of samples/plugins: "template-c"
  std::string_view path;    // below it: "src/lib.rs"
  std::string_view content;
};

std::span<const TemplateFile> TemplateFiles();

}  // namespace kps::cli
