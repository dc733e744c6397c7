// A directory that belongs to one process at a time, and files in it that are replaced whole.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/core/error.h"

namespace kps {

class Directory {
 public:
  // Makes it, for this user alone, when it is missing. FAILED_PRECONDITION: another process has it, see its pid.
  static Result<std::unique_ptr<Directory>> Open(const std::string& path);
  ~Directory();  // for the next process
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::string PathOf(std::string_view name) const { return path_ + '/' + std::string(name); }

  // The content; nothing when there is no such file. DATA_LOSS: it is no file, or larger than any of ours.
  Result<std::optional<std::string>> Read(const std::string& name) const;

  // Safe on the disk when it returns. Whatever happens meanwhile, the file holds the old content or the new one, whole;
  // after an error, the old one. Any thread, but one call at a time for a name.
  Error Replace(const std::string& name, std::string_view content) const;

  // Removes what a crash within Replace has left.
  Error RemoveTemporary(const std::string& name) const;

  // Renames to NAME.bad-TIME, which was free, and returns that.
  Result<std::string> SetAside(const std::string& name) const;

 private:
  Directory(std::string path, int fd, int lock_fd) : path_(std::move(path)), fd_(fd), lock_fd_(lock_fd) {}
  Error Lock() const;
  Error Write(const std::string& name, std::string_view content) const;

  const std::string path_;
  const int fd_;
  const int lock_fd_;
};

}  // namespace kps
