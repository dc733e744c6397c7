// Notices that a plugin file is another one now. Watches names in directories: a file that is replaced takes its own
// watch with it, and the number of its inode may come back.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "host/core/error.h"
#include "host/plugin/file_descriptor.h"

namespace kps {

class PluginWatch {
 public:
  enum class Outcome { kChanged, kWoken };

  // Changes are reported from now on. `file`, its directory, and what symbolic links on the way point to need not exist
  // yet. RESOURCE_EXHAUSTED: the system has no watch left.
  static Result<std::unique_ptr<PluginWatch>> Open(const std::string& file, std::chrono::milliseconds debounce);
  PluginWatch(const PluginWatch&) = delete;
  PluginWatch& operator=(const PluginWatch&) = delete;

  // kChanged: something has happened to the name, or to a symbolic link on its way, and then nothing for `debounce`;
  // a writer that never stops is reported after ten times that. Compare the content: it may be what it was. One thread.
  Outcome Wait();
  // Wait returns kWoken, once. Any thread.
  void Wake();

 private:
  using Clock = std::chrono::steady_clock;
  using Names = std::map<std::filesystem::path, std::set<std::string>>;  // by directory

  PluginWatch(std::filesystem::path file, std::chrono::milliseconds debounce, FileDescriptor events,
              FileDescriptor wake);
  Names NamesToWatch() const;
  Error Follow();
  void FollowAgain();
  int PollTimeoutMs(Clock::time_point now) const;
  bool ReadEvents();
  bool Concerns(int watch, std::uint32_t mask, const std::string& name) const;

  const std::filesystem::path file_;  // absolute
  const std::chrono::milliseconds debounce_;
  const FileDescriptor events_;
  const FileDescriptor wake_;
  std::map<int, std::set<std::string>> watched_;    // names by watch descriptor
  bool all_watched_ = false;                        // else a directory is to be looked for again
  std::optional<Clock::time_point> changed_first_;  // of what was not yet reported
  Clock::time_point changed_last_;
};

}  // namespace kps
