// Which plugin files an operator trusts: what is loaded runs with all that the host may do.
#pragma once

#include <string>

#include "host/core/error.h"

namespace kps {

struct PluginTrust {
  bool writable_by_all = false;  // also files, and in directories, that everybody may write to
  std::string sums;              // a file of SHA-256 sums, as sha256sum(1) writes it: of what may run; empty: anything
};

// Whether the place of `file` is to be trusted. PERMISSION_DENIED: everybody may write to it, or to a directory on the
// way to it.
Error CheckPlace(const PluginTrust& trust, const std::string& file);

// Whether a content with the hash `sha256` may run as `file`, whose name the list has to give it. The list is read anew
// each time. PERMISSION_DENIED: it does not; NOT_FOUND: there is no list; INVALID_ARGUMENT: that is none.
Error CheckContent(const PluginTrust& trust, const std::string& file, const std::string& sha256);

// A line of such a list, for the plugin `file`.
std::string SumLine(const std::string& file, const std::string& sha256);

}  // namespace kps
