#include "tests/state/support.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace kps::test {

namespace fs = std::filesystem;

TempFolder::TempFolder() {
  std::string pattern = (fs::temp_directory_path() / "kps-state.XXXXXX").string();
  path_ = mkdtemp(pattern.data());
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void HeardChanges::OnStateStore(const Error& error) {
  MutexLock lock(mutex_);
  errors_.push_back(error);
}

std::vector<Error> HeardChanges::all() const {
  MutexLock lock(mutex_);
  return errors_;
}

std::string ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void WriteText(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  ASSERT_TRUE(file.flush()) << path;
}

std::vector<std::string> NamesOf(const fs::path& folder, const std::string& prefix) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (const std::string name = entry.path().filename().string(); name.starts_with(prefix)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::unique_ptr<StateStore> OpenLoaded(const std::string& directory, StateStoreListener* listener, SavedState* state,
                                       const StateDirOptions& options) {
  auto opened = OpenStateDir(directory, options, listener);
  if (!opened.ok()) {
    ADD_FAILURE() << opened.error().ToString();
    return nullptr;
  }
  SavedState unused;
  const Error error = opened.value()->Load(state != nullptr ? state : &unused);
  EXPECT_TRUE(error.ok()) << error.ToString();
  return std::move(opened.value());
}

SavedState LoadCopy(const std::string& directory) {
  const TempFolder copy;
  fs::create_directory(copy.state());
  for (const char* name : {"desired", "positions"}) {
    if (fs::exists(fs::path(directory) / name)) fs::copy(fs::path(directory) / name, fs::path(copy.state()) / name);
  }
  HeardChanges unused;
  SavedState state;
  OpenLoaded(copy.state(), &unused, &state);
  return state;
}

StreamMap Streams(const std::vector<std::string>& ids, const std::string& metadata) {
  StreamMap streams;
  for (const std::string& id : ids) streams[id] = {id, Direction::kIngress, "channel." + id, metadata};
  return streams;
}

}  // namespace kps::test
