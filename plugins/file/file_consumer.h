// Follows one file through growth, truncation and rotation.
#ifndef KPS_PLUGINS_FILE_FILE_CONSUMER_H
#define KPS_PLUGINS_FILE_FILE_CONSUMER_H

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <kps/plugin.hpp>
#include <optional>
#include <string>
#include <vector>

#include "descriptor.h"
#include "file_place.h"
#include "file_root.h"
#include "file_watch.h"

struct dirent;
struct stat;

namespace kps::plugins {

struct FollowSettings {
  FileRoot root;
  std::string path;
  bool from_end = false;
  bool lines = true;
  size_t chunk_bytes = 65536;
  size_t line_bytes_max = 1u << 20;
  std::chrono::milliseconds rotate_wait{1000};
};

class FileConsumer : public plugin::Consumer {
 public:
  FileConsumer(const plugin::Host& host, const plugin::Stream& stream, FollowSettings settings,
               const std::string& position);

  void next(plugin::Batch& batch, std::chrono::milliseconds timeout) override;

 private:
  using Clock = std::chrono::steady_clock;
  enum class AtEnd { kWait, kReadOn };

  void resume(const std::string& position);
  bool open_path();
  bool open_rotated(const FilePlace& left);
  bool open_next(int64_t born_after_ns);
  bool any_neighbour(const std::function<bool(const dirent&)>& wanted,
                     const std::function<bool(Descriptor&, const FilePlace&)>& found) const;
  void adopt(Descriptor file);
  bool is_read(const struct stat& info) const;
  bool fill();
  void extract(plugin::Batch& batch);
  void extract_lines(plugin::Batch& batch);
  void extract_chunks(plugin::Batch& batch);
  void add(plugin::Batch& batch, size_t size);  // the next so many bytes
  AtEnd look_around(plugin::Batch& batch);
  size_t buffered() const { return end_ - begin_; }

  plugin::Host host_;
  std::string stream_id_;
  FollowSettings settings_;
  std::string directory_;
  FileWatch watch_;
  Descriptor file_;
  FilePlace place_;  // of the byte after the buffered ones
  std::optional<Clock::time_point> rotated_since_;
  std::vector<char> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t scanned_ = 0;  // bytes after begin_ that are known to hold no newline
};

}  // namespace kps::plugins

#endif
