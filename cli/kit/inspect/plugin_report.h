// Everything that can be known about a plugin file, also about one that cannot be used.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "host/core/plugin.h"
#include "host/plugin/elf_facts.h"
#include "host/plugin/library_list.h"
#include "host/plugin/trust.h"

namespace kps::cli {

struct PluginReport {
  std::string file;
  ElfFacts elf;
  std::vector<NeededLibrary> libraries;        // its own and theirs, as far as the loader could be asked
  std::optional<PluginDescriptor> descriptor;  // no value: it could not be loaded
  std::vector<std::string> problems;           // why a host would not run it, a sentence each; empty: it would
};

struct InspectOptions {
  std::string program = "/proc/self/exe";  // that is run as PROGRAM --inspect-child
  std::chrono::milliseconds timeout{10'000};
  PluginTrust trust{.writable_by_all = true, .sums = {}};  // where its file may lie; elsewhere it is not loaded
};

// Reads the file here, and loads it in a child process. Any thread.
PluginReport InspectPlugin(const std::string& file, const InspectOptions& options = {});

// Those of `libraries` that are not found.
std::vector<std::string> MissingLibraries(const std::vector<NeededLibrary>& libraries);

}  // namespace kps::cli
