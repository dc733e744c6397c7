// The calls that make a file safe, as the store makes them: this program's own fsync, renameat and flock stand before
// libc's. They can be listed, made to fail, and held up.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace kps::test {

// While it lives. One at a time.
class DiskCalls {
 public:
  DiskCalls();
  ~DiskCalls();
  DiskCalls(const DiskCalls&) = delete;
  DiskCalls& operator=(const DiskCalls&) = delete;

  // "fsync positions.tmp", "rename positions.tmp positions", "fsync state", "flock lock"
  std::vector<std::string> made() const;
  std::size_t Count(const std::string& call) const;
  // That call fails with `number` from now on; 0: no longer.
  void Fail(const std::string& call, int number);
  // That call waits until Release.
  void Hold(const std::string& call);
  void Release();
};

}  // namespace kps::test
