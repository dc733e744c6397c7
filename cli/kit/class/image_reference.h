// The name of a container image: [REGISTRY[:PORT]/]NAME[:TAG][@DIGEST].
#pragma once

#include <optional>
#include <string>

#include "cli/result.h"

namespace kps::cli {

// Why no registry can have `image`; nothing: one can. Exit code 1.
std::optional<Failure> CheckImage(const std::string& image);

// Whether `image`, which was checked, says which one of its name it is, by a tag or a digest.
bool HasTag(const std::string& image);

}  // namespace kps::cli
