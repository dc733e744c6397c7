// Loads a plugin file into this process.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "host/core/error.h"
#include "host/core/plugin.h"

typedef struct kps_plugin kps_plugin;

namespace kps {

struct LoadOptions {
  // The library stays mapped until the process ends: for debuggers and sanitizers, which look at it later. So does one
  // whose table has KPS_FLAG_NO_UNLOAD.
  bool no_unload = false;
};

// Checks the file (elf_file.h), loads it with RTLD_NOW and RTLD_LOCAL, and checks its table. Everything created from
// the result keeps the library loaded. Errors say what is wrong with the file and what to do. A path that is still
// mapped gives the library of then, whatever the file holds now: snapshot.h makes paths that are new.
Result<std::unique_ptr<Plugin>> LoadPlugin(const std::string& path, const LoadOptions& options = {});

// The plugin's own table, for who wants to call it as it is. It is there as long as `handle`.
struct LoadedTable {
  const kps_plugin* table = nullptr;
  std::shared_ptr<void> handle;
};
// What LoadPlugin does first.
Result<LoadedTable> LoadTable(const std::string& path, const LoadOptions& options = {});

// How many of the files that LoadPlugin has loaded in this process are still mapped. Asks the loader, since dlclose
// may succeed and unmap nothing. Any thread; waits while a library is being loaded.
std::size_t ResidentLibraries();

}  // namespace kps
