// The kps_discover_sink of one discover call: takes what the plugin finds, as far as it makes sense.
#pragma once

#include <kps/plugin.h>

#include <set>
#include <string>

#include "host/core/json.h"
#include "host/core/plugin.h"

namespace kps {

class DiscoverSink {
 public:
  // Bytes of one entry; a longer one is skipped.
  static constexpr std::size_t kEntryBytesMax = 64 * 1024;

  // `directions` of the plugin: where it has only one, entries need not name it.
  explicit DiscoverSink(std::uint32_t directions);
  DiscoverSink(const DiscoverSink&) = delete;
  DiscoverSink& operator=(const DiscoverSink&) = delete;

  const kps_discover_sink* get() const { return &table_; }
  Discovered TakeFound() { return std::move(found_); }

 private:
  static void Found(void* context, kps_str stream_json);

  void Add(std::string_view stream_json);
  // INVALID_ARGUMENT: why the entry is skipped.
  Result<StreamSpec> Read(std::string_view stream_json) const;
  Result<Direction> ReadDirection(const JsonMembers& entry) const;

  const bool ingress_;
  const bool egress_;
  const kps_discover_sink table_;
  std::set<std::string> ids_;
  Discovered found_;
};

}  // namespace kps
