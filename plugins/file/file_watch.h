// Waits for changes of one file and of the directory that names it.
#ifndef KPS_PLUGINS_FILE_FILE_WATCH_H
#define KPS_PLUGINS_FILE_FILE_WATCH_H

#include <chrono>
#include <cstdint>
#include <kps/plugin.hpp>
#include <string>

#include "descriptor.h"
#include "file_root.h"

namespace kps::plugins {

class FileWatch {
 public:
  FileWatch(FileRoot root, std::string directory, int wake_fd);

  // Watches the open file instead of the one before; -1 for none.
  void follow(int fd);

  // Returns early on any change that may matter. It may also miss one (network file systems report none), so
  // it never waits longer than kPollMax and the caller looks for itself.
  plugin::Wait wait(std::chrono::milliseconds timeout);

 private:
  static constexpr std::chrono::milliseconds kPollMax{500};

  void watch_directory();
  int watch(int fd, uint32_t events) const;
  void drain();

  FileRoot root_;
  std::string directory_;
  int wake_fd_;
  Descriptor inotify_;
  int directory_watch_ = -1;
  int file_watch_ = -1;
};

}  // namespace kps::plugins

#endif
