// A place in a file, as positions and message ids name it: also when the file's inode was given to another file since,
// or the file was truncated and written anew.
#ifndef KPS_PLUGINS_FILE_FILE_PLACE_H
#define KPS_PLUGINS_FILE_FILE_PLACE_H

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace kps::plugins {

struct FilePlace {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t birth_ns = 0;    // 0: the file system does not tell, or a position of before does not
  int64_t restart_ns = 0;  // when it was last read from 0 although its birth is older or unknown; 0: never
  uint64_t offset = 0;

  // The start of an open file. Throws plugin::Failure where it cannot be looked at.
  static FilePlace of(int fd, const std::string& path);

  // "v2 DEVICE INODE BIRTH_NS RESTART_NS OFFSET", or the older "v1 DEVICE INODE OFFSET". Nothing: neither of them.
  static std::optional<FilePlace> parse(const std::string& position);
  std::string position() const;

  bool same_file(const FilePlace& other) const;
  // Names what lies between `begin` and `end`. At most 80 characters, written to `id`; returns how many.
  size_t write_id(uint64_t begin, uint64_t end, char* id) const;

  // It is read from 0 again, and what comes is not what came before.
  void restart();
};

}  // namespace kps::plugins

#endif
