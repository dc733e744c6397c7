// Private copies of plugin files. Only they are loaded: writing to a file that is mapped crashes whoever runs in it,
// and a path that had a library before still gets that one, whatever the file holds now.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "host/core/error.h"
#include "host/plugin/private_directory.h"

namespace kps {

struct Snapshot {
  std::string path;    // absolute; had no library before in this process
  std::string sha256;  // of what `path` holds, in lower-case hex
};

// One thread at a time.
class Snapshots {
 public:
  // Kept ones whose files stay, for a debugger.
  static constexpr std::size_t kFilesKept = 2;

  // Makes a directory for this process alone, below $TMPDIR, /tmp or /dev/shm: the first where one can be made and
  // libraries can be mapped. The error names all of them. Those of processes that were killed are removed there.
  static Result<std::unique_ptr<Snapshots>> Open();
  static Result<std::unique_ptr<Snapshots>> OpenBelow(const std::vector<std::string>& parents);
  // Removes the directory. What is mapped stays mapped.
  ~Snapshots() = default;
  Snapshots(const Snapshots&) = delete;
  Snapshots& operator=(const Snapshots&) = delete;

  // Copies the file as it is at one moment. UNAVAILABLE: it keeps changing meanwhile. On failure nothing is left
  // behind.
  Result<Snapshot> Take(const std::string& source);
  // It was loaded for good. Its file goes when kFilesKept later ones are kept; the library does not need it.
  void Keep(const Snapshot& snapshot);
  // It will not be loaded, or no longer.
  void Discard(const Snapshot& snapshot);

  const std::string& directory() const { return directory_.path(); }

 private:
  explicit Snapshots(PrivateDirectory directory) : directory_(std::move(directory)) {}

  const PrivateDirectory directory_;
  std::deque<std::string> kept_;  // paths, the oldest first
};

}  // namespace kps
