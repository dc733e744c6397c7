#include "host/plugin/plugin_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <utility>

namespace kps {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kLookAgain{1000};  // for a directory that is not there
constexpr int kDebouncesMax = 10;
constexpr int kLinksMax = 40;  // as the kernel follows
constexpr std::uint32_t kOfNames =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_MODIFY | IN_ATTRIB;
constexpr std::uint32_t kOfTheDirectory = IN_DELETE_SELF | IN_MOVE_SELF;
// What the kernel says unasked: the directory is no longer watched.
constexpr std::uint32_t kGone = IN_IGNORED | IN_UNMOUNT;

Error WatchError(const fs::path& path, int error) {
  std::string advice;
  Code code = Code::kUnavailable;
  if (error == ENOSPC || error == EMFILE || error == ENFILE || error == ENOMEM) {
    code = Code::kResourceExhausted;
    advice =
        ": raise the sysctls fs.inotify.max_user_watches and fs.inotify.max_user_instances, or the limit of open "
        "files";
  }
  if (error == EACCES) code = Code::kPermissionDenied;
  return Error(code, "cannot watch " + path.string() + ": " + std::strerror(error) + advice);
}

}  // namespace

Result<std::unique_ptr<PluginWatch>> PluginWatch::Open(const std::string& file, milliseconds debounce) {
  std::error_code no_directory;
  const fs::path path = fs::absolute(file, no_directory);
  if (no_directory) return WatchError(file, no_directory.value());
  FileDescriptor events(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!events.ok()) return WatchError(path, errno);
  FileDescriptor wake(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake.ok()) return WatchError(path, errno);
  std::unique_ptr<PluginWatch> watch(new PluginWatch(path, debounce, std::move(events), std::move(wake)));
  if (Error error = watch->Follow(); !error.ok()) return error;
  return watch;
}

PluginWatch::PluginWatch(fs::path file, milliseconds debounce, FileDescriptor events, FileDescriptor wake)
    : file_(std::move(file)), debounce_(debounce), events_(std::move(events)), wake_(std::move(wake)) {}

PluginWatch::Outcome PluginWatch::Wait() {
  for (;;) {
    pollfd fds[] = {{events_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    poll(fds, std::size(fds), PollTimeoutMs(Clock::now()));
    const bool had_all = all_watched_;
    const bool changed = ReadEvents();
    const auto now = Clock::now();
    if (changed || !had_all) FollowAgain();
    if (changed || (!had_all && all_watched_)) {
      if (!changed_first_) changed_first_ = now;
      changed_last_ = now;
    }
    if (changed_first_ && PollTimeoutMs(now) == 0) {
      changed_first_.reset();
      return Outcome::kChanged;
    }
    std::uint64_t count = 0;
    if (read(wake_.get(), &count, sizeof count) == sizeof count) return Outcome::kWoken;
  }
}

void PluginWatch::Wake() {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then it is readable anyway.
  [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof one);
}

// 0: a change is to be reported now; -1: there is nothing to wait for but events.
int PluginWatch::PollTimeoutMs(Clock::time_point now) const {
  milliseconds timeout{-1};
  if (changed_first_) {
    const auto due = std::min(changed_last_ + debounce_, *changed_first_ + kDebouncesMax * debounce_);
    timeout = std::max(std::chrono::ceil<milliseconds>(due - now), milliseconds(0));
  } else if (!all_watched_) {
    timeout = kLookAgain;
  }
  return static_cast<int>(std::min<milliseconds::rep>(timeout.count(), 86'400'000));
}

// The names on which the way to the file depends: its own, and those of the symbolic links.
PluginWatch::Names PluginWatch::NamesToWatch() const {
  Names names;
  fs::path at = "/";
  fs::path rest = file_.relative_path();
  int links = 0;
  while (!rest.empty()) {
    const fs::path name = *rest.begin();
    const bool last = std::next(rest.begin()) == rest.end();
    fs::path others;
    for (auto part = std::next(rest.begin()); part != rest.end(); ++part) others /= *part;
    rest = std::move(others);
    if (name == "..") {
      at = at.parent_path();
      continue;
    }
    if (name.empty() || name == ".") continue;
    std::error_code no_link;
    const fs::path target = fs::read_symlink(at / name, no_link);
    if (last || !no_link) names[at].insert(name.string());
    if (no_link) {
      at /= name;
      continue;
    }
    if (++links > kLinksMax) break;
    if (target.is_absolute()) at = "/";
    rest = rest.empty() ? target.relative_path() : target.relative_path() / rest;  // a / "" is "a/"
  }
  return names;
}

// Watches what is to be watched now, and nothing else. An error: there may be nothing that is watched.
Error PluginWatch::Follow() {
  Error error;
  bool settled = false;
  for (int i = 0; i < kLinksMax && !settled; ++i) {
    settled = true;
    std::map<int, std::set<std::string>> watched;
    all_watched_ = true;
    for (const auto& [directory, names] : NamesToWatch()) {
      const int watch =
          inotify_add_watch(events_.get(), directory.c_str(), kOfNames | kOfTheDirectory | IN_ONLYDIR | IN_EXCL_UNLINK);
      if (watch >= 0) {
        watched[watch].insert(names.begin(), names.end());
        // Its links may have changed before it was watched: look again.
        if (!watched_.contains(watch)) settled = false;
        continue;
      }
      all_watched_ = false;
      if (errno != ENOENT && errno != ENOTDIR) error = WatchError(directory, errno);
    }
    for (const auto& [watch, names] : watched_) {
      if (!watched.contains(watch)) inotify_rm_watch(events_.get(), watch);
    }
    watched_ = std::move(watched);
  }
  return error;
}

void PluginWatch::FollowAgain() {
  // What cannot be watched is tried again, and noticed when it can.
  if (!Follow().ok()) all_watched_ = false;
}

// Reads all that there are; whether one of them is about us.
bool PluginWatch::ReadEvents() {
  alignas(inotify_event) char buffer[16 * 1024];
  bool changed = false;
  for (;;) {
    const ssize_t size = read(events_.get(), buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return changed;
    const inotify_event* event = nullptr;
    for (ssize_t at = 0; at < size; at += static_cast<ssize_t>(sizeof *event + event->len)) {
      event = reinterpret_cast<const inotify_event*>(buffer + at);
      changed = Concerns(event->wd, event->mask, event->len > 0 ? event->name : "") || changed;
      if ((event->mask & IN_IGNORED) != 0) watched_.erase(event->wd);
    }
  }
}

bool PluginWatch::Concerns(int watch, std::uint32_t mask, const std::string& name) const {
  if ((mask & IN_Q_OVERFLOW) != 0) return true;  // nobody knows what was lost
  const auto names = watched_.find(watch);
  if (names == watched_.end()) return false;  // of before
  return (mask & (kOfTheDirectory | kGone)) != 0 || names->second.contains(name);
}

}  // namespace kps
