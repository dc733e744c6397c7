// Port: what people do with the plugin of a running host. The reloader of host/plugin implements it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "host/core/error.h"

namespace kps {

struct PluginStatus {
  struct Swap {
    std::int64_t at_ns = 0;  // since the Unix epoch, as all times here
    std::string from;        // versions
    std::string to;
    std::size_t streams = 0;  // that moved while they carried
    std::chrono::nanoseconds pause_max{0};
    std::uint64_t dropped = 0;  // messages, meanwhile
  };
  struct Failure {
    std::int64_t at_ns = 0;
    std::string reason;
  };

  std::string name;
  std::string version;
  std::string file;         // is loaded when it changes
  std::string loaded_file;  // its private copy; empty: there is none, and it cannot be swapped
  std::string build_id;     // hex; empty: it has none
  std::string sha256;
  std::uint64_t generation = 0;  // 1: the one that the host started with
  std::int64_t loaded_at_ns = 0;
  std::size_t resident = 0;  // versions whose library is mapped
  std::size_t resident_max = 0;
  bool watching = false;
  std::uint64_t swaps = 0;
  std::uint64_t failures = 0;
  std::optional<Swap> last_swap;
  std::optional<Failure> last_failure;
};

// Any thread.
class PluginControl {
 public:
  virtual ~PluginControl() = default;
  virtual PluginStatus Status() const = 0;
  // Loads the file as it is now and moves the streams to it, also when that content was refused before. Waits for it.
  // Returns what was done, in a sentence. An error: the version before goes on. UNAVAILABLE: so does another reload.
  virtual Result<std::string> Reload() = 0;
};

}  // namespace kps
