// Which shared libraries a file needs, and which of them are missing: asked of the dynamic loader itself, so that the
// answer is the one that loading would get.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/core/error.h"

namespace kps {

struct NeededLibrary {
  std::string name;  // as the loader looks for it
  std::string path;  // empty: it is not found

  bool operator==(const NeededLibrary&) const = default;
};

// The libraries of `path`, an ELF file for this machine, and theirs. Nothing of them runs; but a file that lies about
// itself can crash the loader, which is a process of its own, or keep it: call it in one that somebody ends.
// UNAVAILABLE: `loader` cannot be run.
Result<std::vector<NeededLibrary>> ListLibraries(const std::string& path, const std::string& loader);

// The loader that has loaded this program, and would load its plugins.
std::string OwnLoader();

// What the loader prints about a file, as ldd does.
std::vector<NeededLibrary> ParseLibraryList(std::string_view text);

}  // namespace kps
