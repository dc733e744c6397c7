// A plugin where an author builds it: its file is replaced while a host runs it.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/e2e/host_process.h"

namespace kps::test {

class PluginFile {
 public:
  // A copy of the bundled plugin `name`, in `folder`, which outlives it.
  PluginFile(const TempFolder& folder, const std::string& name)
      : original_(std::string(KPS_PLUGINS) + "/" + name + ".so"),
        path_(folder.Path(name + ".so")),
        next_(folder.Path("next")) {
    Replace("");
  }

  const std::string& path() const { return path_; }

  // A build with a content of its own: nobody looks behind the end of an ELF file.
  void Replace(const std::string& suffix) const {
    std::filesystem::copy_file(original_, next_, std::filesystem::copy_options::overwrite_existing);
    std::ofstream(next_, std::ios::binary | std::ios::app) << suffix;
    std::filesystem::rename(next_, path_);
  }
  void Break() const { std::ofstream(path_, std::ios::binary) << "not a library"; }

 private:
  const std::string original_;
  const std::string path_;
  const std::string next_;
};

}  // namespace kps::test
