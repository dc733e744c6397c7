#include "file_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>

#include <algorithm>
#include <utility>

namespace kps::plugins {

FileWatch::FileWatch(FileRoot root, std::string directory, int wake_fd)
    : root_(std::move(root)),
      directory_(std::move(directory)),
      wake_fd_(wake_fd),
      inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  watch_directory();
}

void FileWatch::watch_directory() {
  if (!inotify_.open() || directory_watch_ >= 0) return;
  const Descriptor directory = root_.open(directory_, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory.open()) directory_watch_ = watch(directory.get(), IN_CREATE | IN_MOVED_TO);
}

void FileWatch::follow(int fd) {
  if (!inotify_.open()) return;
  if (file_watch_ >= 0) ::inotify_rm_watch(inotify_.get(), file_watch_);
  file_watch_ = -1;
  if (fd < 0) return;
  file_watch_ = watch(fd, IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF);
}

// By descriptor, not by name: it is this very file, however it is renamed.
int FileWatch::watch(int fd, uint32_t events) const {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return ::inotify_add_watch(inotify_.get(), path.c_str(), events);
}

plugin::Wait FileWatch::wait(std::chrono::milliseconds timeout) {
  watch_directory();  // the directory may have appeared since
  const plugin::Wait wait = plugin::wait_for(inotify_.get(), POLLIN, wake_fd_, std::min(timeout, kPollMax));
  if (wait == plugin::Wait::kReady) drain();
  return wait;
}

void FileWatch::drain() {
  alignas(inotify_event) char events[4096];
  for (;;) {
    const ssize_t size = ::read(inotify_.get(), events, sizeof events);
    if (size <= 0) return;
    for (ssize_t offset = 0; offset < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(events + offset);
      if ((event->mask & IN_IGNORED) != 0 && event->wd == directory_watch_) directory_watch_ = -1;
      offset += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
}

}  // namespace kps::plugins
