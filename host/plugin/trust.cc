#include "host/plugin/trust.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace kps {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHexSize = 64;

std::string NameOf(const std::string& file) { return fs::path(file).filename().string(); }

Error Writable(const fs::path& what, const std::string& file) {
  return Error(Code::kPermissionDenied, file + " is not loaded: everybody may write to " + what.string() +
                                            ", and so have the host run anything: chmod o-w " + what.string() +
                                            ", or give --allow-writable-plugins");
}

// Entries of a directory with the sticky bit stay with their owners, but anybody may add one.
Error CheckWayTo(const fs::path& path, const std::string& file) {
  struct stat info {};
  for (fs::path part = path; !part.empty(); part = part.parent_path()) {
    const bool found = ::stat(part.c_str(), &info) == 0;  // else loading it says what is wrong
    const bool beside = part == path || part == path.parent_path();
    if (found && (info.st_mode & S_IWOTH) != 0 && (beside || (info.st_mode & S_ISVTX) == 0))
      return Writable(part, file);
    if (part == part.root_path()) break;
  }
  return {};
}

bool IsHex(const std::string& text) {
  return text.size() == kHexSize && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

Error CheckPlace(const PluginTrust& trust, const std::string& file) {
  if (trust.writable_by_all) return {};
  std::error_code unknown;
  if (Error error = CheckWayTo(fs::absolute(file, unknown).lexically_normal(), file); !error.ok()) return error;
  const fs::path target = fs::canonical(file, unknown);  // where symbolic links lead
  return unknown ? Error() : CheckWayTo(target, file);
}

Error CheckContent(const PluginTrust& trust, const std::string& file, const std::string& sha256) {
  if (trust.sums.empty()) return {};
  std::ifstream list(trust.sums);
  if (!list) return Error(Code::kNotFound, "--plugin-sums: cannot read " + trust.sums);
  const std::string name = NameOf(file);
  bool named = false;
  int number = 0;
  for (std::string line; std::getline(list, line);) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    // "HASH  NAME", or "HASH *NAME", which means the same here.
    const bool separated =
        line.size() > kHexSize + 2 && line[kHexSize] == ' ' && (line[kHexSize + 1] == ' ' || line[kHexSize + 1] == '*');
    if (!separated || !IsHex(line.substr(0, kHexSize))) {
      return Error(Code::kInvalidArgument, "--plugin-sums: " + trust.sums + ", line " + std::to_string(number) +
                                               ": not a SHA-256 in lower-case hex, two spaces and a file's name; "
                                               "kps-connector plugin sums writes such a list");
    }
    if (NameOf(line.substr(kHexSize + 2)) != name) continue;
    if (line.compare(0, kHexSize, sha256) == 0) return {};
    named = true;
  }
  return Error(Code::kPermissionDenied, file + " is not loaded: " + trust.sums +
                                            (named ? " has another SHA-256 for " + name + " than its own, " + sha256
                                                   : " does not have its name, " + name) +
                                            "; kps-connector plugin sums prints what belongs there");
}

std::string SumLine(const std::string& file, const std::string& sha256) { return sha256 + "  " + NameOf(file) + "\n"; }

}  // namespace kps
