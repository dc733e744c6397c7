// Disks that are full, read-only or broken. The full one is real: a file system of 64 KiB in memory, in a mount
// namespace of this process, so that nothing of it stays.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tests/state/disk_calls.h"
#include "tests/state/support.h"
#include "tests/support/eventually.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr milliseconds kLong = kDeadline;

class SmallDiskTest : public testing::Test {
 protected:
  void SetUp() override {
    disk_ = (folder_.path() / "disk").string();
    std::filesystem::create_directory(disk_);
    if (unshare(CLONE_NEWNS) != 0) GTEST_SKIP() << "a mount namespace needs root: " << std::strerror(errno);
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", disk_.c_str(), "tmpfs", 0, "size=64k") != 0) {
      GTEST_SKIP() << "mounting is not allowed here: " << std::strerror(errno);
    }
  }
  void TearDown() override { umount2(disk_.c_str(), MNT_DETACH); }

  void Fill() const {
    const int file = open((disk_ + "/filler").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const std::string block(4096, 'x');
    while (write(file, block.data(), block.size()) > 0) {
    }
    EXPECT_EQ(errno, ENOSPC);
    close(file);
  }
  void MakeRoom() const { std::filesystem::remove(disk_ + "/filler"); }
  std::string state() const { return disk_ + "/state"; }

  TempFolder folder_;
  std::string disk_;
  HeardChanges heard_;
};

std::vector<bool> AreOk(const std::vector<Error>& errors) {
  std::vector<bool> ok;
  for (const Error& error : errors) ok.push_back(error.ok());
  return ok;
}

TEST_F(SmallDiskTest, AFullDiskKeepsWhatWasThereAndCatchesUp) {
  const auto store = OpenLoaded(state(), &heard_);
  ASSERT_TRUE(store->SaveDesired(Streams({"a"}), {{"key", "1"}}).ok());
  store->PutResumePoint("a", "1", "r", 1);
  ASSERT_TRUE(store->Flush(kLong).ok());

  const DiskCalls calls;
  Fill();
  const std::uint64_t number = store->PutResumePoint("a", "2", "r", 2);
  ASSERT_TRUE(Eventually([&] { return !heard_.all().empty(); }));
  EXPECT_EQ(heard_.all()[0].code(), Code::kResourceExhausted);
  EXPECT_THAT(heard_.all()[0].message(), HasSubstr("cannot write " + state() + "/positions.tmp: No space left"));
  EXPECT_EQ(store->Flush(milliseconds(400)).code(), Code::kResourceExhausted) << "tried again meanwhile";
  EXPECT_THAT(store->SaveDesired(Streams({"b"}), {}).message(), HasSubstr("desired.tmp: No space left on device"));
  EXPECT_LT(store->stored(), number);
  EXPECT_THAT(NamesOf(state()), ElementsAre("desired", "lock", "positions"));
  SavedState state_now = LoadCopy(state());
  EXPECT_EQ(state_now.resume_points.at("a").position, "1");
  EXPECT_EQ(state_now.config.at("key"), "1");
  EXPECT_THAT(AreOk(heard_.all()), ElementsAre(false)) << "once";

  MakeRoom();
  EXPECT_TRUE(store->Flush(kLong).ok());
  EXPECT_GE(store->stored(), number);
  EXPECT_TRUE(Eventually([&] { return heard_.all().size() == 2; }));
  EXPECT_THAT(AreOk(heard_.all()), ElementsAre(false, true));
  state_now = LoadCopy(state());
  EXPECT_EQ(state_now.resume_points.at("a").position, "2") << "what was refused has changed nothing";
  EXPECT_TRUE(store->SaveDesired(Streams({"a", "b"}), {}).ok());
}

TEST_F(SmallDiskTest, RoomIsNoticedThoughOnlyTheDesiredStateWasRefused) {
  const auto store = OpenLoaded(state(), &heard_);
  ASSERT_TRUE(store->SaveDesired(Streams({"a"}), {}).ok());
  Fill();
  EXPECT_EQ(store->SaveDesired(Streams({"a", "b"}), {}).code(), Code::kResourceExhausted);
  EXPECT_EQ(store->SaveDesired(Streams({"a", "b"}), {}).code(), Code::kResourceExhausted);
  EXPECT_THAT(AreOk(heard_.all()), ElementsAre(false));
  MakeRoom();
  EXPECT_TRUE(Eventually([&] { return heard_.all().size() == 2; }));
  EXPECT_THAT(AreOk(heard_.all()), ElementsAre(false, true));
}

TEST_F(SmallDiskTest, AFullDiskCanBeEndedOn) {
  auto store = OpenLoaded(state(), &heard_);
  ASSERT_TRUE(store->SaveDesired(Streams({"a"}), {}).ok());
  store->PutResumePoint("a", "1", "r", 1);
  ASSERT_TRUE(store->Flush(kLong).ok());
  Fill();
  store->PutResumePoint("a", "2", "r", 2);
  ASSERT_TRUE(Eventually([&] { return !heard_.all().empty(); }));
  MakeRoom();
  store.reset();  // tries once more, without waiting for its time
  EXPECT_EQ(LoadCopy(state()).resume_points.at("a").position, "2");
}

TEST_F(SmallDiskTest, AFullDiskAtTheStartIsNoReasonNotToBegin) {
  Fill();
  const auto store = OpenLoaded(state(), &heard_);
  ASSERT_TRUE(store);
  EXPECT_EQ(store->SaveDesired({}, {}).code(), Code::kResourceExhausted);
  EXPECT_THAT(OpenStateDir(state(), {}, &heard_).error().message(), HasSubstr("in use by another process"))
      << "there is no room for the pid";
  MakeRoom();
  EXPECT_TRUE(store->SaveDesired({}, {}).ok());
}

TEST_F(SmallDiskTest, AReadOnlyDiskIsNamed) {
  OpenLoaded(state(), &heard_);
  ASSERT_EQ(mount(nullptr, disk_.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0) << std::strerror(errno);
  auto opened = OpenStateDir(state(), {}, &heard_);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), Code::kPermissionDenied);
  EXPECT_THAT(opened.error().message(),
              HasSubstr("cannot write in the state directory " + state() + ": Read-only file system"));
}

class BrokenDiskTest : public testing::TestWithParam<const char*> {
 protected:
  TempFolder folder_;
  HeardChanges heard_;
};

// Each call that makes "positions" safe, failing.
TEST_P(BrokenDiskTest, NothingCountsAsSafeAndItRecovers) {
  DiskCalls calls;
  const auto store = OpenLoaded(folder_.state(), &heard_);
  ASSERT_TRUE(store->SaveDesired(Streams({"a"}), {}).ok());
  calls.Fail(GetParam(), EIO);
  const std::uint64_t number = store->PutResumePoint("a", "1", "r", 1);
  ASSERT_TRUE(Eventually([&] { return calls.Count(GetParam()) >= 4; }));
  EXPECT_LT(store->stored(), number);
  const Error error = store->Flush(milliseconds(1));
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("Input/output error"));
  EXPECT_THAT(AreOk(heard_.all()), ElementsAre(false));
  calls.Fail(GetParam(), 0);
  EXPECT_TRUE(store->Flush(kLong).ok());
  EXPECT_TRUE(Eventually([&] { return heard_.all().size() == 2; }));
  EXPECT_THAT(AreOk(heard_.all()), ElementsAre(false, true));
  EXPECT_EQ(LoadCopy(folder_.state()).resume_points.at("a").position, "1");
}

INSTANTIATE_TEST_SUITE_P(Calls, BrokenDiskTest,
                         testing::Values("fsync positions.tmp", "rename positions.tmp positions", "fsync state"),
                         [](const auto& info) { return "Call" + std::to_string(info.index); });

class BrokenDesiredTest : public BrokenDiskTest {};

TEST_P(BrokenDesiredTest, SaveDesiredSaysSoAndIsTriedAgainByItsCaller) {
  DiskCalls calls;
  const auto store = OpenLoaded(folder_.state(), &heard_);
  ASSERT_TRUE(store->SaveDesired(Streams({"a"}, "{\"n\":1}"), {}).ok());
  store->PutResumePoint("a", "1", "r", 1);
  calls.Fail(GetParam(), EIO);
  EXPECT_EQ(store->SaveDesired(Streams({"a"}, "{\"n\":2}"), {}).code(), Code::kUnavailable);
  EXPECT_EQ(store->PutResumePoint("a", "2", "r", 2), 2u) << "the stream of before goes on";
  ASSERT_TRUE(Eventually([&] { return heard_.all().size() == 2; })) << "the other file can be written";
  calls.Fail(GetParam(), 0);
  ASSERT_TRUE(store->Flush(kLong).ok());
  EXPECT_EQ(LoadCopy(folder_.state()).resume_points.at("a").position, "2");
  EXPECT_TRUE(store->SaveDesired(Streams({"a"}, "{\"n\":2}"), {}).ok());
  EXPECT_TRUE(LoadCopy(folder_.state()).resume_points.empty());
}

INSTANTIATE_TEST_SUITE_P(Calls, BrokenDesiredTest, testing::Values("fsync desired.tmp", "rename desired.tmp desired"),
                         [](const auto& info) { return "Call" + std::to_string(info.index); });

}  // namespace
}  // namespace kps::test
