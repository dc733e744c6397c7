// Private copies of plugin files: complete, unique, and gone when they are not needed.
#include "host/plugin/snapshot.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "tests/support/eventually.h"

namespace kps {
namespace {

namespace fs = std::filesystem;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class SnapshotTest : public testing::Test {
 protected:
  SnapshotTest() {
    char pattern[] = "/tmp/kps-snapshot-XXXXXX";
    folder_ = mkdtemp(pattern);
    source_ = (folder_ / "file.so").string();
    snapshots_ = std::move(Snapshots::OpenBelow({folder_}).value());
  }
  ~SnapshotTest() override {
    snapshots_.reset();
    fs::remove_all(folder_);
  }

  void Write(const std::string& content) { std::ofstream(source_, std::ios::binary) << content; }
  Snapshot Take() {
    auto snapshot = snapshots_->Take(source_);
    EXPECT_TRUE(snapshot.ok()) << snapshot.error().ToString();
    return snapshot.ok() ? snapshot.value() : Snapshot{};
  }
  std::size_t FileCount() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(snapshots_->directory()), {}));
  }
  void ExpectRefused(Code code, const std::string& text) {
    const auto snapshot = snapshots_->Take(source_);
    ASSERT_FALSE(snapshot.ok());
    EXPECT_EQ(snapshot.error().code(), code) << snapshot.error().ToString();
    EXPECT_THAT(snapshot.error().message(), HasSubstr(source_));
    EXPECT_THAT(snapshot.error().message(), HasSubstr(text));
    EXPECT_EQ(FileCount(), 0u) << "nothing is left behind";
  }

  fs::path folder_;
  std::string source_;
  std::unique_ptr<Snapshots> snapshots_;
};

TEST_F(SnapshotTest, HoldsTheContentAndItsHash) {
  Write("abc");
  const Snapshot snapshot = Take();
  EXPECT_EQ(ReadAll(snapshot.path), "abc");
  EXPECT_EQ(snapshot.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_THAT(snapshot.path, StartsWith(snapshots_->directory() + "/file."));
  EXPECT_THAT(snapshot.path, EndsWith(".so"));
  struct stat status {};
  ASSERT_EQ(stat(snapshot.path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0500u);
}

TEST_F(SnapshotTest, NoPathComesTwice) {
  Write("abc");
  const Snapshot first = Take();
  snapshots_->Discard(first);
  EXPECT_NE(Take().path, first.path);
}

TEST_F(SnapshotTest, IsNotTouchedByWhatHappensToItsSource) {
  Write("abc");
  const Snapshot first = Take();
  Write("abd");
  const Snapshot second = Take();
  fs::remove(source_);
  EXPECT_EQ(ReadAll(first.path), "abc");
  EXPECT_EQ(ReadAll(second.path), "abd");
  EXPECT_NE(first.sha256, second.sha256);
}

TEST_F(SnapshotTest, LongNameIsCut) {
  source_ = (folder_ / (std::string(252, 'n') + ".so")).string();
  Write("abc");
  EXPECT_EQ(ReadAll(Take().path), "abc");
}

TEST_F(SnapshotTest, KeepLeavesTheFilesOfTheLastTwo) {
  Write("abc");
  Snapshot taken[4];
  for (Snapshot& snapshot : taken) {
    snapshot = Take();
    snapshots_->Keep(snapshot);
  }
  EXPECT_EQ(FileCount(), 2u);
  EXPECT_TRUE(fs::exists(taken[2].path));
  EXPECT_TRUE(fs::exists(taken[3].path));
}

TEST_F(SnapshotTest, DiscardedFileIsGoneAtOnce) {
  Write("abc");
  snapshots_->Discard(Take());
  EXPECT_EQ(FileCount(), 0u);
}

TEST_F(SnapshotTest, DirectoryIsPrivateAndGoesWithItsFiles) {
  Write("abc");
  const Snapshot snapshot = Take();
  const std::string directory = snapshots_->directory();
  struct stat status {};
  ASSERT_EQ(stat(directory.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
  snapshots_.reset();
  EXPECT_FALSE(fs::exists(directory));
}

// A process that is killed cannot remove its own.
TEST_F(SnapshotTest, WhatAKilledProcessHasLeftGoesAndWhatIsInUseStays) {
  Write("abc");
  const Snapshot used = Take();
  const fs::path left = folder_ / "kps-plugins-abcdef";
  fs::create_directory(left);
  std::ofstream(left / "file.1.so") << "abc";
  const fs::path foreign = folder_ / "kps-plugins-foreign";
  fs::create_directory(foreign);
  const bool is_foreign = chown(foreign.c_str(), geteuid() + 1, 0) == 0;  // for root alone
  const fs::path target = folder_ / "elsewhere";
  fs::create_directory(target);
  fs::create_directory_symlink(target, folder_ / "kps-plugins-link");
  const fs::path other = folder_ / "another-name";
  fs::create_directory(other);
  ASSERT_TRUE(Snapshots::OpenBelow({folder_}).ok());
  EXPECT_FALSE(fs::exists(left));
  EXPECT_EQ(ReadAll(used.path), "abc");
  EXPECT_EQ(fs::exists(foreign), is_foreign);
  EXPECT_TRUE(fs::exists(target));
  EXPECT_TRUE(fs::exists(other));
}

TEST_F(SnapshotTest, MissingFile) { ExpectRefused(Code::kNotFound, "No such file"); }

TEST_F(SnapshotTest, DirectoryAndFifoAreNoFiles) {
  fs::create_directory(source_);
  ExpectRefused(Code::kInvalidArgument, "is no regular file");
  fs::remove(source_);
  ASSERT_EQ(mkfifo(source_.c_str(), 0600), 0);
  ExpectRefused(Code::kInvalidArgument, "is no regular file");
}

TEST_F(SnapshotTest, FileThatMayNotBeRead) {
  Write("abc");
  fs::permissions(source_, fs::perms::none);
  // Root may read everything: be nobody for a moment, in this thread.
  const bool root = geteuid() == 0;
  if (root) setfsuid(65534);
  const auto snapshot = snapshots_->Take(source_);
  if (root) setfsuid(0);
  ASSERT_FALSE(snapshot.ok());
  EXPECT_EQ(snapshot.error().code(), Code::kPermissionDenied) << snapshot.error().ToString();
  EXPECT_THAT(snapshot.error().message(), HasSubstr("cannot read " + source_));
}

TEST_F(SnapshotTest, NoSpaceIsLeft) {
  Write(std::string(100'000, 'x'));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, SIG_IGN);
  const rlimit small{80'000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const auto snapshot = snapshots_->Take(source_);
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_DFL);
  ASSERT_FALSE(snapshot.ok());
  EXPECT_EQ(snapshot.error().code(), Code::kResourceExhausted) << snapshot.error().ToString();
  EXPECT_THAT(snapshot.error().message(), HasSubstr("set TMPDIR to a directory that has some"));
  EXPECT_EQ(FileCount(), 0u) << "nothing half-written is left behind";
}

// Fills the file with one letter after the other, for as long as it lives or until `enough`.
class Writer {
 public:
  static constexpr std::size_t kSize = 8 * 1024 * 1024;

  template <typename Enough>
  Writer(const std::string& path, Enough enough)
      : thread_([this, path, enough](const std::stop_token& stop) {
          const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
          for (int round = 0; !stop.stop_requested() && !enough(); ++round) {
            const std::string piece(kSize / 128, static_cast<char>('a' + round % 26));
            for (std::size_t at = 0; at < kSize; at += piece.size()) {
              EXPECT_EQ(pwrite(fd, piece.data(), piece.size(), static_cast<off_t>(at)),
                        static_cast<ssize_t>(piece.size()));
            }
            ++rounds_;
          }
          close(fd);
        }) {
    EXPECT_TRUE(test::Eventually([this] { return rounds_ > 0; }));
  }

 private:
  std::atomic<int> rounds_{0};
  std::jthread thread_;
};

TEST_F(SnapshotTest, FileThatKeepsChangingIsNotTaken) {
  Write(std::string(Writer::kSize, '-'));
  const Writer writer(source_, [] { return false; });
  // On a loaded machine the writer may rest for as long as a copy takes.
  EXPECT_TRUE(test::Eventually([this] {
    const auto snapshot = snapshots_->Take(source_);
    if (snapshot.ok()) {
      snapshots_->Discard(snapshot.value());
      return false;
    }
    EXPECT_EQ(snapshot.error().code(), Code::kUnavailable);
    EXPECT_THAT(snapshot.error().message(), HasSubstr(source_ + " has changed each of the 5 times"));
    EXPECT_THAT(snapshot.error().message(), HasSubstr("it is perhaps still being written"));
    return true;
  }));
  EXPECT_EQ(FileCount(), 0u) << "nothing is left behind";
}

TEST_F(SnapshotTest, FileThatHasChangedMeanwhileIsCopiedAgain) {
  Write(std::string(Writer::kSize, '-'));
  // The writer ends when it sees a second copy being made; a copy that it has missed altogether is as good as none.
  std::atomic<bool> again = false;
  bool taken = false;
  EXPECT_TRUE(test::Eventually([&] {
    std::string first;
    const Writer writer(source_, [&] {
      for (const auto& entry : fs::directory_iterator(snapshots_->directory())) {
        if (first.empty()) first = entry.path();
        if (entry.path() != first) again = true;
      }
      return again.load();
    });
    const auto snapshot = snapshots_->Take(source_);
    if (!snapshot.ok()) {
      EXPECT_EQ(snapshot.error().code(), Code::kUnavailable);
      return false;
    }
    const std::string content = ReadAll(snapshot.value().path);
    EXPECT_EQ(content.size(), Writer::kSize);
    EXPECT_EQ(content.find_first_not_of(content.front()), std::string::npos) << "of one moment";
    taken = again;
    snapshots_->Discard(snapshot.value());
    return taken;
  })) << "the file was taken when it had come to rest";
  EXPECT_EQ(FileCount(), 0u);
}

TEST(OpenSnapshotsTest, BelowTheFirstDirectoryThatWorks) {
  char pattern[] = "/tmp/kps-open-XXXXXX";
  const fs::path folder = mkdtemp(pattern);
  const auto snapshots = Snapshots::OpenBelow({"/nowhere", folder, "/tmp"});
  ASSERT_TRUE(snapshots.ok()) << snapshots.error().ToString();
  EXPECT_EQ(fs::path(snapshots.value()->directory()).parent_path(), folder);
  fs::remove_all(folder);
}

TEST(OpenSnapshotsTest, TmpdirIsTheFirst) {
  char pattern[] = "/tmp/kps-open-XXXXXX";
  const fs::path folder = mkdtemp(pattern);
  const char* const before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  setenv("TMPDIR", folder.c_str(), 1);
  const auto snapshots = Snapshots::Open();
  if (before == nullptr) {
    unsetenv("TMPDIR");
  } else {
    setenv("TMPDIR", kept.c_str(), 1);
  }
  ASSERT_TRUE(snapshots.ok()) << snapshots.error().ToString();
  EXPECT_EQ(fs::path(snapshots.value()->directory()).parent_path(), folder);
  fs::remove_all(folder);
}

TEST(OpenSnapshotsTest, NoneThatWorksNamesAllAndWhatToDo) {
  const auto snapshots = Snapshots::OpenBelow({"/nowhere", "/dev/null"});
  ASSERT_FALSE(snapshots.ok());
  EXPECT_EQ(snapshots.error().code(), Code::kUnavailable);
  EXPECT_THAT(snapshots.error().message(), HasSubstr("/nowhere (No such file or directory); /dev/null ("));
  EXPECT_THAT(snapshots.error().message(), HasSubstr("Set TMPDIR to a directory"));
}

TEST(OpenSnapshotsTest, NoexecDirectoryIsPassedOver) {
  char pattern[] = "/tmp/kps-open-XXXXXX";
  const std::string folder = mkdtemp(pattern);
  bool mounted = false;
  std::string reason;
  // A mount that only this thread sees, and that ends with it.
  std::thread([&] {
    mounted = unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
              mount("tmpfs", folder.c_str(), "tmpfs", MS_NOEXEC, "size=64k") == 0;
    const auto snapshots = Snapshots::OpenBelow({folder});
    if (!snapshots.ok()) reason = snapshots.error().message();
  }).join();
  fs::remove_all(folder);
  if (!mounted) GTEST_SKIP() << "this user may not mount";
  EXPECT_THAT(reason, HasSubstr(folder + " (mounted noexec"));
}

}  // namespace
}  // namespace kps
