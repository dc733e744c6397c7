// The directory below which all that streams name has to be: parameters of a stream come from others than the operator.
#ifndef KPS_PLUGINS_FILE_FILE_ROOT_H
#define KPS_PLUGINS_FILE_FILE_ROOT_H

#include <sys/types.h>

#include <string>

#include "descriptor.h"

namespace kps::plugins {

class FileRoot {
 public:
  // `root`: an absolute path; empty: any path goes.
  explicit FileRoot(std::string root = "");

  // As open(2), with errno where the descriptor is not open. A relative path begins at the root. A Failure where the
  // path, or a symbolic link on it, leads out of the root.
  Descriptor open(const std::string& path, int flags, mode_t mode = 0) const;

 private:
  Descriptor open_below(const std::string& path, int flags, mode_t mode) const;

  std::string root_;
};

}  // namespace kps::plugins

#endif
