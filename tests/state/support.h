// What the tests of host/state share.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/core/mutex.h"
#include "host/state/state_dir.h"

namespace kps::test {

// A folder of this test, gone after it.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string state() const { return (path_ / "state").string(); }

 private:
  std::filesystem::path path_;
};

// Keeps what it is told.
class HeardChanges : public StateStoreListener {
 public:
  void OnStateStore(const Error& error) override;
  std::vector<Error> all() const;

 private:
  mutable Mutex mutex_;
  std::vector<Error> errors_ KPS_GUARDED_BY(mutex_);
};

std::string ReadText(const std::filesystem::path& path);
void WriteText(const std::filesystem::path& path, const std::string& text);
// Names in a folder that begin so, in order.
std::vector<std::string> NamesOf(const std::filesystem::path& folder, const std::string& prefix = "");

// A store that must open, and has been loaded, into *state when given.
std::unique_ptr<StateStore> OpenLoaded(const std::string& directory, StateStoreListener* listener,
                                       SavedState* state = nullptr, const StateDirOptions& options = {"edge-1"});
// What another process would load if this one ended now: from a copy.
SavedState LoadCopy(const std::string& directory);

StreamMap Streams(const std::vector<std::string>& ids, const std::string& metadata = "{}");

}  // namespace kps::test
