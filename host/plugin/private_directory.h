// A directory for one process, which goes with it.
#pragma once

#include <string>

#include "host/core/error.h"
#include "host/plugin/file_descriptor.h"

namespace kps {

class PrivateDirectory {
 public:
  // A new one for this user alone, named `prefix` and six more characters. First it removes those of the same prefix
  // whose processes were killed: a directory is locked (flock(2)) for as long as its process lives, and what that has
  // forked. UNAVAILABLE: none can be made there.
  static Result<PrivateDirectory> MakeBelow(const std::string& parent, const std::string& prefix);
  PrivateDirectory(PrivateDirectory&&) = default;
  PrivateDirectory& operator=(PrivateDirectory&&) = delete;
  // Removes it, with all that it holds.
  ~PrivateDirectory();

  const std::string& path() const { return path_; }  // absolute

 private:
  PrivateDirectory(std::string path, FileDescriptor locked) : path_(std::move(path)), locked_(std::move(locked)) {}

  std::string path_;
  FileDescriptor locked_;
};

}  // namespace kps
