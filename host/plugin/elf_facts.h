// What a plugin file says about itself before anything of it runs: for people who ask why it cannot be loaded, or
// unloaded.
#pragma once

#include <string>
#include <vector>

namespace kps {

struct ElfFacts {
  std::string machine;                      // "x86-64"; empty: no 64-bit ELF file
  std::string build_id;                     // lower-case hex; empty: none
  std::string sha256;                       // of the whole file, lower-case hex
  std::vector<std::string> needed;          // libraries, by the names that the loader looks for
  std::string runpath;                 // RUNPATH or RPATH: where it looks first
  bool exports_entry = false;               // the function that every plugin has
  std::vector<std::string> unique_symbols;  // STB_GNU_UNIQUE: one process has them once, so they stay
  bool no_delete = false;                   // linked with -z nodelete
  bool static_tls = false;                  // needs room that a running process may not have
  bool thread_exit_hooks = false;           // has thread_local objects with destructors
  bool go_runtime = false;
};

// As far as the file can be read; what is cut short or no ELF file has fewer facts (CheckElf says why).
ElfFacts ReadElfFacts(const std::string& path);

// Why the loader would never unmap it, one reason each; empty: it would. Plugins may ask for that as well
// (PluginDescriptor::no_unload).
std::vector<std::string> WhyNotUnloadable(const ElfFacts& facts);

}  // namespace kps
