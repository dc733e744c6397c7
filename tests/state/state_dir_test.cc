// What is kept, forgotten and handed over, on a disk that works.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/support/allocation_count.h"
#include "tests/state/disk_calls.h"
#include "tests/state/support.h"
#include "tests/support/eventually.h"

namespace kps::test {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

constexpr milliseconds kLong = kDeadline;

class StateDirTest : public testing::Test {
 protected:
  TempFolder folder_;
  HeardChanges heard_;
};

TEST_F(StateDirTest, ANewOneIsEmptyAndForItsUserAlone) {
  SavedState state;
  const auto store = OpenLoaded(folder_.state(), &heard_, &state);
  EXPECT_TRUE(state.streams.empty());
  EXPECT_TRUE(state.config.empty());
  EXPECT_TRUE(state.resume_points.empty());
  EXPECT_EQ(std::filesystem::status(folder_.state()).permissions(), std::filesystem::perms::owner_all);
  EXPECT_TRUE(store->Flush(milliseconds(0)).ok()) << "nothing is open";
}

TEST_F(StateDirTest, WhatWasSavedIsLoaded) {
  StreamMap streams = Streams({"a", "b"}, "{\"rate\":1e+20}");
  streams["out"] = {"out", Direction::kEgress, "x.>", "{\"path\":\"/tmp\"}"};
  const JsonMembers config = {{"level", "\"info\""}, {"limits", "{\"rate\":1e+20}"}};
  {
    const auto store = OpenLoaded(folder_.state(), &heard_);
    ASSERT_TRUE(store->SaveDesired(streams, config).ok());
    store->PutResumePoint("a", "first", "run-1", 1);
    store->PutResumePoint("a", std::string("\0\xFF\n", 3), "run-1", 2);
    const std::uint64_t number = store->PutResumePoint("b", "", "run-2", 0);
    ASSERT_TRUE(store->Flush(kLong).ok());
    EXPECT_GE(store->stored(), number);
  }
  SavedState state;
  OpenLoaded(folder_.state(), &heard_, &state);
  EXPECT_EQ(state.streams, streams);
  EXPECT_EQ(state.config, config);
  EXPECT_EQ(state.resume_points.size(), 2u);
  EXPECT_EQ(state.resume_points["a"], (ResumePoint{std::string("\0\xFF\n", 3), "run-1", 2}));
  EXPECT_EQ(state.resume_points["b"], (ResumePoint{"", "run-2", 0}));
  EXPECT_TRUE(heard_.all().empty());
}

TEST_F(StateDirTest, TheEndSavesWhatCameLast) {
  {
    StateDirOptions options{"edge-1"};
    options.save_interval = std::chrono::hours(1);
    const auto store = OpenLoaded(folder_.state(), &heard_, nullptr, options);
    ASSERT_TRUE(store->SaveDesired(Streams({"a"}), {}).ok());
    store->PutResumePoint("a", "1", "r", 1);
    ASSERT_TRUE(Eventually([&] { return store->stored() == 1; })) << "at once, after a time without changes";
    store->PutResumePoint("a", "2", "r", 2);
  }
  EXPECT_EQ(LoadCopy(folder_.state()).resume_points["a"].position, "2");
}

TEST_F(StateDirTest, AnUnknownStreamIsIgnoredAndCountsAsSafe) {
  const auto store = OpenLoaded(folder_.state(), &heard_);
  ASSERT_TRUE(store->SaveDesired(Streams({"a"}), {}).ok());
  EXPECT_LE(store->PutResumePoint("unknown", "1", "r", 1), store->stored());
  ASSERT_TRUE(store->Flush(kLong).ok());
  EXPECT_TRUE(LoadCopy(folder_.state()).resume_points.empty());
}

TEST_F(StateDirTest, AStreamThatIsNoLongerDesiredIsForgotten) {
  const auto store = OpenLoaded(folder_.state(), &heard_);
  ASSERT_TRUE(store->SaveDesired(Streams({"a", "b"}), {}).ok());
  store->PutResumePoint("a", "1", "r", 1);
  store->PutResumePoint("b", "2", "r", 1);
  ASSERT_TRUE(store->SaveDesired(Streams({"b"}), {}).ok());
  ASSERT_TRUE(store->SaveDesired(Streams({"a", "b"}), {}).ok());
  ASSERT_TRUE(store->Flush(kLong).ok());
  const SavedState state = LoadCopy(folder_.state());
  EXPECT_EQ(state.streams.size(), 2u);
  ASSERT_EQ(state.resume_points.size(), 1u);
  EXPECT_EQ(state.resume_points.at("b").position, "2");
}

TEST_F(StateDirTest, ANewSourceBeginsAnewAndANewChannelGoesOn) {
  const auto store = OpenLoaded(folder_.state(), &heard_);
  StreamMap streams = Streams({"channel", "direction", "metadata"});
  ASSERT_TRUE(store->SaveDesired(streams, {}).ok());
  for (const auto& [id, stream] : streams) store->PutResumePoint(id, "1", "old", 1);
  streams["channel"].channel = "other";
  streams["direction"].direction = Direction::kEgress;
  streams["metadata"].metadata_json = "{\"path\":\"/other\"}";
  ASSERT_TRUE(store->SaveDesired(streams, {}).ok());
  ASSERT_TRUE(store->Flush(kLong).ok());
  SavedState state = LoadCopy(folder_.state());
  ASSERT_EQ(state.resume_points.size(), 1u);
  EXPECT_EQ(state.resume_points.at("channel").position, "1");

  // The instance of before, until it has stopped.
  EXPECT_LE(store->PutResumePoint("metadata", "2", "old", 2), store->stored());
  store->PutResumePoint("direction", "7", "new", 1);
  ASSERT_TRUE(store->Flush(kLong).ok());
  state = LoadCopy(folder_.state());
  EXPECT_FALSE(state.resume_points.contains("metadata"));
  EXPECT_EQ(state.resume_points.at("direction").position, "7");
}

// The crash comes between the two files.
TEST_F(StateDirTest, AResumePointOfAnotherSourceIsNotTakenAfterACrash) {
  const std::filesystem::path positions = folder_.state() + "/positions";
  const auto store = OpenLoaded(folder_.state(), &heard_);
  ASSERT_TRUE(store->SaveDesired(Streams({"a", "b"}, "{\"path\":1}"), {}).ok());
  store->PutResumePoint("a", "1", "r", 1);
  store->PutResumePoint("b", "1", "r", 1);
  ASSERT_TRUE(store->Flush(kLong).ok());
  const std::string before = ReadText(positions);
  StreamMap streams = Streams({"a", "b"}, "{\"path\":1}");
  streams["a"].metadata_json = "{\"path\":2}";
  ASSERT_TRUE(store->SaveDesired(streams, {}).ok());
  streams["a"].metadata_json = "{\"path\":1}";  // as at first, but not the same stream
  ASSERT_TRUE(store->SaveDesired(streams, {}).ok());
  ASSERT_TRUE(store->Flush(kLong).ok());
  WriteText(positions, before);
  const SavedState state = LoadCopy(folder_.state());
  EXPECT_FALSE(state.resume_points.contains("a"));
  EXPECT_TRUE(state.resume_points.contains("b"));
}

TEST_F(StateDirTest, AGenerationIsNotGivenTwiceThoughAFileIsGone) {
  const std::filesystem::path state_dir = folder_.state();
  {
    const auto store = OpenLoaded(folder_.state(), &heard_);
    ASSERT_TRUE(store->SaveDesired(Streams({"a"}), {}).ok());
    store->PutResumePoint("a", "1", "r", 1);
  }
  const std::string before = ReadText(state_dir / "positions");
  std::filesystem::remove(state_dir / "desired");
  const auto store = OpenLoaded(folder_.state(), &heard_);
  ASSERT_TRUE(store->SaveDesired(Streams({"a"}), {}).ok());
  WriteText(state_dir / "positions", before);
  EXPECT_TRUE(LoadCopy(folder_.state()).resume_points.empty());
}

TEST_F(StateDirTest, NothingIsSavedBeforeItWasLoadedAndItIsLoadedOnce) {
  auto store = OpenStateDir(folder_.state(), {}, &heard_);
  ASSERT_TRUE(store.ok());
  EXPECT_EQ(store.value()->SaveDesired(Streams({"a"}), {}).code(), Code::kFailedPrecondition);
  SavedState state;
  EXPECT_TRUE(store.value()->Load(&state).ok());
  EXPECT_EQ(store.value()->Load(&state).code(), Code::kFailedPrecondition);
}

TEST_F(StateDirTest, AFileIsSafeBeforeItTakesItsName) {
  const DiskCalls calls;
  const auto store = OpenLoaded(folder_.state(), &heard_);
  EXPECT_THAT(calls.made(), ElementsAre("fsync " + folder_.path().filename().string(), "flock lock"));
  ASSERT_TRUE(store->SaveDesired(Streams({"a"}), {}).ok());
  store->PutResumePoint("a", "1", "r", 1);
  ASSERT_TRUE(store->Flush(kLong).ok());
  auto made = calls.made();
  made.erase(made.begin(), made.begin() + 2);
  EXPECT_THAT(made, ElementsAre("fsync desired.tmp", "rename desired.tmp desired", "fsync state", "fsync positions.tmp",
                                "rename positions.tmp positions", "fsync state"));
}

TEST_F(StateDirTest, ASlowDiskHoldsNobodyUpAndManyChangesAreOneWrite) {
  DiskCalls calls;
  StateDirOptions options{"edge-1"};
  options.save_interval = milliseconds(0);
  const auto store = OpenLoaded(folder_.state(), &heard_, nullptr, options);
  ASSERT_TRUE(store->SaveDesired(Streams({"a", "b"}), {}).ok());
  calls.Hold("fsync positions.tmp");
  store->PutResumePoint("a", "0", "r", 0);
  ASSERT_TRUE(Eventually([&] { return calls.Count("fsync positions.tmp") == 1; }));
  std::uint64_t number = 0;
  for (int i = 1; i <= 1000; ++i) number = store->PutResumePoint(i % 2 == 0 ? "a" : "b", std::to_string(i), "r", 1);
  EXPECT_EQ(store->stored(), 0u) << "nothing is safe before fsync has returned";
  EXPECT_EQ(store->Flush(milliseconds(1)).code(), Code::kDeadlineExceeded);
  EXPECT_TRUE(store->SaveDesired(Streams({"a", "b"}), {{"k", "1"}}).ok()) << "the other file does not wait for it";
  calls.Release();
  ASSERT_TRUE(store->Flush(kLong).ok());
  EXPECT_EQ(store->stored(), number);
  EXPECT_EQ(calls.Count("fsync positions.tmp"), 2u);
  const SavedState state = LoadCopy(folder_.state());
  EXPECT_EQ(state.resume_points.at("a").position, "1000");
  EXPECT_EQ(state.resume_points.at("b").position, "999");
}

TEST_F(StateDirTest, WritesKeepTheirIntervalUntilSomebodyWaits) {
  const DiskCalls calls;
  StateDirOptions options{"edge-1"};
  options.save_interval = std::chrono::hours(1);
  const auto store = OpenLoaded(folder_.state(), &heard_, nullptr, options);
  ASSERT_TRUE(store->SaveDesired(Streams({"a"}), {}).ok());
  store->PutResumePoint("a", "1", "r", 1);
  ASSERT_TRUE(Eventually([&] { return store->stored() == 1; }));
  // Each of them gives the thread the time of a write.
  for (int i = 0; i < 50; ++i) {
    store->PutResumePoint("a", "2", "r", 2);
    ASSERT_TRUE(store->SaveDesired(Streams({"a"}), {}).ok());
  }
  EXPECT_EQ(calls.Count("rename positions.tmp positions"), 1u);
  ASSERT_TRUE(store->Flush(kLong).ok());
  EXPECT_EQ(calls.Count("rename positions.tmp positions"), 2u);
}

TEST_F(StateDirTest, HandingOverAllocatesNothingOnceWarm) {
  const auto store = OpenLoaded(folder_.state(), &heard_);
  ASSERT_TRUE(store->SaveDesired(Streams({"a", "a stream whose id is longer than a short string"}), {}).ok());
  const std::string position(200, 'p');
  const std::string run(40, 'r');
  const auto put = [&](std::uint64_t count) {
    store->PutResumePoint("a", position, run, count);
    store->PutResumePoint("a stream whose id is longer than a short string", position, run, count);
  };
  const std::size_t cold = AllocationCount();
  put(1);
  const std::size_t warm = AllocationCount();
  EXPECT_GT(warm, cold) << "nothing was counted";
  for (int i = 2; i < 10'000; ++i) put(static_cast<std::uint64_t>(i));
  EXPECT_EQ(AllocationCount(), warm);
}

TEST_F(StateDirTest, EveryThreadsLastPointIsKept) {
  constexpr int kThreads = 8;
  std::vector<std::string> ids;
  for (int i = 0; i < kThreads; ++i) ids.push_back("s" + std::to_string(i));
  const auto store = OpenLoaded(folder_.state(), &heard_);
  ASSERT_TRUE(store->SaveDesired(Streams(ids), {}).ok());
  std::vector<std::thread> threads;
  for (const std::string& id : ids) {
    threads.emplace_back([&store, &id] {
      std::uint64_t number = 0;
      for (std::uint64_t i = 1; i <= 5'000; ++i) number = store->PutResumePoint(id, std::to_string(i), "r", i);
      EXPECT_TRUE(Eventually([&] { return store->stored() >= number; }));
    });
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(store->SaveDesired(Streams(ids), {{"n", std::to_string(i)}}).ok());
    EXPECT_TRUE(store->Flush(kLong).ok());
  }
  for (auto& thread : threads) thread.join();
  const SavedState state = LoadCopy(folder_.state());
  for (const std::string& id : ids) EXPECT_EQ(state.resume_points.at(id), (ResumePoint{"5000", "r", 5000}));
}

}  // namespace
}  // namespace kps::test
