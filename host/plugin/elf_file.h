// Looks at a shared library without running any of it: dlopen of a truncated or foreign file can crash the process.
#pragma once

#include <cstdint>
#include <string>

#include "host/core/error.h"

namespace kps {

// INVALID_ARGUMENT with a sentence when the file is no ELF shared library for this machine, or is cut short. NOT_FOUND
// or PERMISSION_DENIED when it cannot be read.
Error CheckElf(const std::string& path);

// The GNU build id, which the linker makes from the content (--build-id), in lower-case hex. Empty: there is none, or
// the file cannot be read.
std::string BuildIdOf(const std::string& path);

// The dynamic loader that a program asks for. Empty: there is none, or the file cannot be read.
std::string InterpreterOf(const std::string& path);

// What people call the machine of an ELF header: "x86-64".
std::string MachineName(std::uint16_t machine);

}  // namespace kps
