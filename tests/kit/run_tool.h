// A tool as a user runs it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace kps::cli {

struct Ran {
  int exit_code = -1;
  std::string out;
  std::string err;
};

inline Ran RunTool(std::vector<std::string> arguments, const std::vector<std::string>& environment = {}) {
  arguments.insert(arguments.begin(), {KPS_CONNECTOR, "plugin"});
  test::Process process(std::move(arguments), environment);
  Ran ran;
  ran.exit_code = process.Wait();
  ran.out = process.out();
  ran.err = process.err();
  return ran;
}

inline std::string Broken(const std::string& name) { return std::string(KPS_BROKEN_PLUGINS "/") + name + ".so"; }
inline std::string Odd(const std::string& name) { return std::string(KPS_ODD_PLUGINS "/") + name + ".so"; }

class TempFolder {
 public:
  TempFolder() {
    char pattern[] = "/tmp/kps-kit-XXXXXX";
    path_ = mkdtemp(pattern);
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string Write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path_ / name;
  }
  std::string Copy(const std::string& file, const std::string& name) const {
    std::filesystem::copy(file, path_ / name);
    return path_ / name;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace kps::cli
