#include "cli/kit/new/write_project.h"

#include <filesystem>
#include <fstream>

namespace kps::cli {
namespace {

namespace fs = std::filesystem;

Failure CannotWrite(const fs::path& path, const std::error_code& error) {
  return {kExitUsage, "cannot write " + path.string() + ": " + error.message()};
}

std::optional<Failure> WriteFile(const fs::path& path, const std::string& content) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return CannotWrite(path, error);
  std::ofstream file(path, std::ios::binary);
  if (file << content << std::flush) return {};
  return CannotWrite(path, std::error_code(errno, std::generic_category()));
}

// The directory alone, so that nothing is written into somebody else's.
std::optional<Failure> MakeDirectory(const fs::path& directory) {
  std::error_code unknown;  // what cannot be looked at cannot be made either
  if (fs::exists(fs::symlink_status(directory, unknown))) {
    return Failure{kExitUsage, directory.string() + " exists already: choose another with --dir, or remove it"};
  }
  std::error_code error;
  const fs::path parent = directory.parent_path();
  if (!parent.empty()) fs::create_directories(parent, error);
  if (!error) fs::create_directory(directory, error);
  if (error) return CannotWrite(directory, error);
  return {};
}

}  // namespace

std::optional<Failure> WriteProject(const Project& project, const std::string& directory) {
  const fs::path root = directory;
  if (auto failure = MakeDirectory(root)) return failure;
  for (const ProjectFile& file : project.files) {
    auto failure = WriteFile(root / file.path, file.content);
    if (!failure) continue;
    std::error_code ignored;  // the failure before is the one to tell
    fs::remove_all(root, ignored);
    return failure;
  }
  return {};
}

}  // namespace kps::cli
