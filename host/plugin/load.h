// Loads a plugin file into this process.
#pragma once

#include <memory>
#include <string>

#include "host/core/error.h"
#include "host/core/plugin.h"

namespace kps {

// Checks the file (elf_file.h), loads it with RTLD_NOW and RTLD_LOCAL, and checks its table. Everything created from
// the result keeps the library loaded. Errors say what is wrong with the file and what to do.
Result<std::unique_ptr<Plugin>> LoadPlugin(const std::string& path);

}  // namespace kps
