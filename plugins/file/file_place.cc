#include "file_place.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <charconv>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <kps/plugin.hpp>

namespace kps::plugins {

FilePlace FilePlace::of(int fd, const std::string& path) {
  struct stat info;
  if (::fstat(fd, &info) != 0) throw plugin::errno_failure(errno, "stat " + path);
  FilePlace place;
  place.device = info.st_dev;
  place.inode = info.st_ino;
  struct statx more;
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &more) == 0 && (more.stx_mask & STATX_BTIME) != 0) {
    place.birth_ns = int64_t{more.stx_btime.tv_sec} * 1'000'000'000 + more.stx_btime.tv_nsec;
  } else {
    place.restart();
  }
  return place;
}

std::optional<FilePlace> FilePlace::parse(const std::string& position) {
  FilePlace place;
  int used = 0;
  const bool v2 =
      std::sscanf(position.c_str(), "v2 %" SCNu64 " %" SCNu64 " %" SCNd64 " %" SCNd64 " %" SCNu64 "%n", &place.device,
                  &place.inode, &place.birth_ns, &place.restart_ns, &place.offset, &used) == 5;
  if (v2 && static_cast<size_t>(used) == position.size()) return place;
  place = {};
  const bool v1 = std::sscanf(position.c_str(), "v1 %" SCNu64 " %" SCNu64 " %" SCNu64 "%n", &place.device, &place.inode,
                              &place.offset, &used) == 3;
  if (v1 && static_cast<size_t>(used) == position.size()) return place;
  return std::nullopt;
}

std::string FilePlace::position() const {
  return "v2 " + std::to_string(device) + " " + std::to_string(inode) + " " + std::to_string(birth_ns) + " " +
         std::to_string(restart_ns) + " " + std::to_string(offset);
}

bool FilePlace::same_file(const FilePlace& other) const {
  if (device != other.device || inode != other.inode) return false;
  return birth_ns == other.birth_ns || birth_ns == 0 || other.birth_ns == 0;
}

size_t FilePlace::write_id(uint64_t begin, uint64_t end, char* id) const {
  char* at = id;
  const auto put = [&](auto number) {
    if (at != id) *at++ = '.';
    at = std::to_chars(at, id + 80, number, 16).ptr;
  };
  put(birth_ns);
  put(restart_ns);
  put(begin);
  put(end - begin);
  return static_cast<size_t>(at - id);
}

void FilePlace::restart() {
  offset = 0;
  restart_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace kps::plugins
