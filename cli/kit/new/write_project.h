// Puts a project into the file system.
#pragma once

#include <optional>
#include <string>

#include "cli/kit/new/project.h"

namespace kps::cli {

// Makes `directory`, with those above it, and writes the files into it. It must not be there yet, in any form. After a
// failure, it is not there either.
std::optional<Failure> WriteProject(const Project& project, const std::string& directory);

}  // namespace kps::cli
