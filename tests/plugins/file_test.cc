#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include "harness.h"

namespace {
int sync_error = 0;  // of the next one
}

// The plugin's, too: this program exports its symbols.
extern "C" int fdatasync(int fd) {
  if (sync_error == 0) return static_cast<int>(::syscall(SYS_fdatasync, fd));
  errno = std::exchange(sync_error, 0);
  return -1;
}

namespace kps::testing {
namespace {

using Lines = std::vector<std::string>;

class File : public ::testing::Test {
 protected:
  std::string metadata(const std::string& more = "") const { return "{\"path\":\"" + log + "\"" + more + "}"; }
  void rotate() { std::filesystem::rename(log, log + ".1"); }

  static std::string birth_of(const std::string& position) {
    std::istringstream words(position);
    std::string word;
    for (int i = 0; i < 4; ++i) words >> word;
    return word;
  }

  // As a position of it would have it.
  std::string birth_of_file(const std::string& path) {
    append(path, "x\n");
    Consumer consumer(plugin, "{\"path\":\"" + path + "\"}");
    consumer.next(1000, 1);
    return birth_of(consumer.position);
  }

  Plugin plugin{"file"};
  Directory directory;
  std::string log = directory / "log";
  std::string quick = ",\"rotateWaitMs\":20";
};

TEST_F(File, LinesAreAnyBytesAndTheLastIsHeldUntilItsNewline) {
  append(log, std::string("a\n\n\xff\xfe\0b\npart", 12));
  Consumer consumer(plugin, metadata());
  EXPECT_EQ(consumer.collect(3), (Lines{"a", "", std::string("\xff\xfe\0b", 4)}));
  EXPECT_EQ(consumer.next(0), Lines{});
  append(log, "ial\n");
  EXPECT_EQ(consumer.collect(1), Lines{"partial"});
}

TEST_F(File, IsAwaitedWhenItDoesNotExistYet) {
  Consumer consumer(plugin, metadata(",\"from\":\"end\""));
  EXPECT_EQ(consumer.next(0), Lines{});
  append(log, "first\n");
  EXPECT_EQ(consumer.collect(1), Lines{"first"});
}

TEST_F(File, FromEndSkipsWhatIsThere) {
  append(log, "old\n");
  Consumer consumer(plugin, metadata(",\"from\":\"end\""));
  append(log, "new\n");
  EXPECT_EQ(consumer.collect(1), Lines{"new"});
}

TEST_F(File, LongLinesComeInPieces) {
  append(log, "abcdefgh\nabcd\nabcde\n");
  Consumer consumer(plugin, metadata(",\"lineBytesMax\":4"));
  EXPECT_EQ(consumer.collect(5), (Lines{"abcd", "efgh", "abcd", "abcd", "e"}));
}

TEST_F(File, ALongLineFitsIntoWhatANatsServerTakes) {
  constexpr std::size_t kNatsPayloadMax = 1024 * 1024;  // max_payload of a server that nobody has configured
  constexpr std::size_t kEnvelopeMax = 1024;            // and headers
  const std::string line(3'000'000, 'x');
  append(log, line + '\n');
  const Lines pieces = Consumer(plugin, metadata("")).collect(3);
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(pieces[0] + pieces[1] + pieces[2], line);
  for (const std::string& piece : pieces) EXPECT_LE(piece.size() + kEnvelopeMax, kNatsPayloadMax);
}

TEST_F(File, ChunksAreTheBytesAsTheyAre) {
  append(log, "abcde\nf");
  Consumer consumer(plugin, metadata(",\"mode\":\"chunks\",\"chunkBytes\":4"));
  EXPECT_EQ(consumer.collect(2), (Lines{"abcd", "e\nf"}));
}

TEST_F(File, RotationFinishesTheOldFileFirst) {
  append(log, "1\n");
  Consumer consumer(plugin, metadata(quick));
  EXPECT_EQ(consumer.collect(1), Lines{"1"});
  append(log, "2\nrest");
  rotate();
  append(log, "3\n");
  EXPECT_EQ(consumer.collect(3), (Lines{"2", "rest", "3"}));
}

TEST_F(File, TruncationStartsAgain) {
  append(log, "one\ntwo\n");
  Consumer consumer(plugin, metadata());
  EXPECT_EQ(consumer.collect(2).size(), 2u);
  std::filesystem::resize_file(log, 0);
  append(log, "x\n");
  EXPECT_EQ(consumer.collect(1), Lines{"x"});
}

TEST_F(File, ResumesAfterTheLastMessage) {
  append(log, "1\n2\n3\n");
  std::string position;
  {
    Consumer consumer(plugin, metadata());
    EXPECT_EQ(consumer.next(1000, 2), (Lines{"1", "2"}));
    position = consumer.position;
  }
  EXPECT_EQ(Consumer(plugin, metadata(), position).collect(1), Lines{"3"});
}

TEST_F(File, ResumesInTheRotatedFileThenTheNew) {
  append(log, "1\n2\n");
  std::string position;
  {
    Consumer consumer(plugin, metadata());
    consumer.next(1000, 1);
    position = consumer.position;
  }
  rotate();
  append(log, "3\n");
  EXPECT_EQ(Consumer(plugin, metadata(quick), position).collect(2), (Lines{"2", "3"}));
}

TEST_F(File, WhatWasRotatedAwayWhileNobodyReadComesInItsOrder) {
  append(log, "1\n2\n");
  std::string position;
  {
    Consumer consumer(plugin, metadata());
    consumer.next(1000, 1);
    position = consumer.position;
  }
  if (birth_of(position) == "0") GTEST_SKIP() << "no file here tells its birth";
  // Files that are born one after the other: the clock of the file system is a coarse one.
  const auto born_later = [&](const std::string& path, const std::string& content) {
    const std::string probe = directory / "probe";
    append(probe, "");
    const std::string born = birth_of_file(probe);
    do {
      std::filesystem::remove(probe);
      append(probe, "");
    } while (birth_of_file(probe) == born);
    append(path, content);
  };
  born_later(log + ".9.gz", "packed\n");  // of another rotation; its name tells that it is no text
  std::filesystem::rename(log, log + ".2");
  born_later(log, "3\n");
  std::filesystem::rename(log, log + ".1");
  born_later(directory / "log2.1", "of another file\n");
  born_later(log, "4\n");
  born_later(log + ".0", "born after the present one: a copy of it\n");
  EXPECT_EQ(Consumer(plugin, metadata(quick), position).collect(3), (Lines{"2", "3", "4"}));

  std::filesystem::remove(log + ".2");
  Consumer late(plugin, metadata(quick), position);
  EXPECT_EQ(late.collect(2), (Lines{"3", "4"}));
  EXPECT_NE(plugin.alerts["fileLost"].second.find("is lost"), std::string::npos) << plugin.alerts["fileLost"].second;
}

TEST_F(File, ALineThatIsReadAgainHasTheSameIdAndNoOtherLineHasIt) {
  append(log, "a\na\n\n\n");
  Consumer consumer(plugin, metadata());
  consumer.next(1000, 1);
  const std::string after_the_first = consumer.position;
  EXPECT_EQ(consumer.collect(3), (Lines{"a", "", ""}));
  Consumer again(plugin, metadata(), after_the_first);
  EXPECT_EQ(again.collect(3), (Lines{"a", "", ""}));
  EXPECT_EQ(again.ids, Lines(consumer.ids.begin() + 1, consumer.ids.end()));
  EXPECT_EQ(std::set<std::string>(consumer.ids.begin(), consumer.ids.end()).size(), 4u);
}

TEST_F(File, AfterATruncationTheSameLineIsAnotherMessage) {
  append(log, "one\ntwo\n");
  Consumer consumer(plugin, metadata());
  EXPECT_EQ(consumer.collect(2).size(), 2u);
  std::filesystem::resize_file(log, 0);
  EXPECT_EQ(consumer.next(0), Lines{});
  append(log, "one\ntwo\n");
  EXPECT_EQ(consumer.next(1000, 1), Lines{"one"});
  EXPECT_NE(consumer.ids[2], consumer.ids[0]);
  const std::string after = consumer.position;
  EXPECT_EQ(consumer.collect(1), Lines{"two"});
  Consumer again(plugin, metadata(), after);
  EXPECT_EQ(again.collect(1), Lines{"two"});
  EXPECT_EQ(again.ids[0], consumer.ids[3]);
}

TEST_F(File, AChunkThatIsLongerWhenItIsReadAgainIsAnotherMessage) {
  append(log, "abc");
  Consumer consumer(plugin, metadata(R"(,"mode":"chunks")"));
  EXPECT_EQ(consumer.collect(1), Lines{"abc"});
  append(log, "def");
  Consumer again(plugin, metadata(R"(,"mode":"chunks")"));
  EXPECT_EQ(again.collect(1), Lines{"abcdef"});
  EXPECT_NE(again.ids[0], consumer.ids[0]);
}

TEST_F(File, AFileThatGotTheInodeOfTheOldOneIsReadFromItsStart) {
  append(log, "1\n2\n");
  Consumer consumer(plugin, metadata());
  consumer.next(1000, 1);
  std::istringstream words(consumer.position);
  std::string version, device, inode, birth, restart, offset;
  words >> version >> device >> inode >> birth >> restart >> offset;
  if (birth == "0") GTEST_SKIP() << "this file system does not tell when a file was born";
  const std::string other = version + " " + device + " " + inode + " " + birth + "1 " + restart + " " + offset;
  EXPECT_EQ(Consumer(plugin, metadata(), other).collect(2), (Lines{"1", "2"}));
}

TEST_F(File, APositionOfTheFirstReleaseIsUnderstood) {
  append(log, "1\n2\n");
  struct stat info;
  ASSERT_EQ(::stat(log.c_str(), &info), 0);
  const std::string position = "v1 " + std::to_string(info.st_dev) + " " + std::to_string(info.st_ino) + " 2";
  EXPECT_EQ(Consumer(plugin, metadata(), position).collect(1), Lines{"2"});
}

TEST_F(File, BatchesKeepToTheLimits) {
  append(log, "aa\nbb\ncc\n");
  Consumer consumer(plugin, metadata());
  EXPECT_EQ(consumer.next(1000, 100, 4), (Lines{"aa", "bb"}));
  EXPECT_EQ(consumer.next(1000, 100, 1), Lines{"cc"});
}

TEST_F(File, WakeEndsTheWait) {
  Consumer consumer(plugin, metadata());
  const auto begin = std::chrono::steady_clock::now();
  std::thread waker([&] { consumer.wake(); });
  EXPECT_EQ(consumer.next(60000), Lines{});
  waker.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

TEST_F(File, AMillionLinesComeInOrder) {
  std::string all;
  for (int i = 0; i < 1000000; ++i) all += std::to_string(i) + "\n";
  append(log, all);
  Consumer consumer(plugin, metadata());
  const auto begin = std::chrono::steady_clock::now();
  size_t count = 0;
  while (count < 1000000) {
    const Lines lines = consumer.next(1000, 1000);
    ASSERT_FALSE(lines.empty());
    for (const std::string& line : lines) ASSERT_EQ(line, std::to_string(count++));
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  RecordProperty("lines_per_second", static_cast<int>(1e6 / seconds.count()));
  std::cout << "lines per second: " << static_cast<int>(1e6 / seconds.count()) << "\n";
}

TEST_F(File, RefusesBadParametersByName) {
  const auto refused = [&](const std::string& json) { return error_of([&] { Consumer(plugin, json); }); };
  EXPECT_NE(std::string(refused("{}").what()).find("\"path\" is missing"), std::string::npos);
  EXPECT_NE(std::string(refused(metadata(",\"pth\":1")).what()).find("\"pth\""), std::string::npos);
  EXPECT_NE(std::string(refused(metadata(",\"mode\":\"x\"")).what()).find("\"mode\""), std::string::npos);
  EXPECT_EQ(refused("{}").code, KPS_INVALID_ARGUMENT);
  EXPECT_EQ(error_of([&] { Consumer(plugin, metadata(), "v2 nonsense"); }).code, KPS_DATA_LOSS);
  EXPECT_EQ(error_of([&] { Consumer(plugin, "{\"path\":\"/dev/null\"}"); }).code, KPS_INVALID_ARGUMENT);
}

TEST_F(File, EgressAppendsLinesAndChunks) {
  append(log, "0\n");
  {
    Producer producer(plugin, metadata());
    EXPECT_EQ(producer.produce(Lines(1000, "x")), 1000u);
    EXPECT_EQ(producer.produce({"a\nb", std::string("\0\xff", 2), ""}), 3u);
    producer.flush();
  }
  std::string expected = "0\n";
  for (int i = 0; i < 1000; ++i) expected += "x\n";
  EXPECT_EQ(read_all(log), expected + "a\nb\n" + std::string("\0\xff", 2) + "\n\n");

  std::filesystem::remove(log);
  Producer producer(plugin, metadata(",\"mode\":\"chunks\""));
  EXPECT_EQ(producer.produce({"a", "", "b"}), 3u);
  EXPECT_EQ(read_all(log), "ab");
}

TEST_F(File, EgressErrorsHaveTheirCodes) {
  EXPECT_EQ(error_of([&] { Producer(plugin, "{\"path\":\"" + (directory / "no/such") + "\"}"); }).code, KPS_NOT_FOUND);
  Producer full(plugin, "{\"path\":\"/dev/full\"}");
  EXPECT_EQ(full.produce({"x"}), 0u);
  EXPECT_EQ(full.last, KPS_RESOURCE_EXHAUSTED);
}

TEST_F(File, EgressNeverLeavesHalfAMessage) {
  Producer producer(plugin, metadata());
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{7, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const size_t taken = producer.produce({"abc", "defgh"});
  const size_t again = producer.produce({"defgh"});
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(taken, 1u);
  EXPECT_EQ(again, 0u);
  EXPECT_EQ(producer.last, KPS_RESOURCE_EXHAUSTED);
  EXPECT_EQ(read_all(log), "abc\n");
  EXPECT_EQ(producer.produce({"defgh"}), 1u);
  EXPECT_EQ(read_all(log), "abc\ndefgh\n");
}

TEST_F(File, WhatCouldNotBeSyncedIsNotVouchedForByTheNextSync) {
  Producer producer(plugin, metadata());
  EXPECT_EQ(producer.produce({"a"}), 1u);
  sync_error = EIO;
  EXPECT_EQ(error_of([&] { producer.flush(); }).code, KPS_UNAVAILABLE);
  EXPECT_EQ(error_of([&] { producer.flush(); }).code, KPS_DATA_LOSS);
  EXPECT_EQ(producer.produce({"b"}), 0u);
  EXPECT_EQ(producer.last, KPS_DATA_LOSS);
  Producer another(plugin, metadata());
  EXPECT_EQ(another.produce({"a"}), 1u);
  another.flush();
}

std::string entry(const std::string& path) {
  return "{\"id\":\"" + path + "\",\"direction\":\"INGRESS\",\"metadata\":{\"path\":\"" + path + "\"}}";
}

std::string discovering(const std::string& pattern) { return "{\"discover\":\"" + pattern + "\"}"; }

TEST_F(File, DiscoversTheFilesThatMatch) {
  Plugin discoverer("file", discovering(directory / "*.log"));
  EXPECT_EQ(discoverer.discover(), Lines{});
  for (const char* name : {"b.log", "a.log", "a.txt"}) append(directory / name, "x\n");
  std::filesystem::create_directory(directory / "folder.log");
  std::filesystem::create_symlink("b.log", directory / "c.log");
  std::filesystem::create_symlink("nothing", directory / "d.log");
  EXPECT_EQ(discoverer.discover(),
            (Lines{entry(directory / "a.log"), entry(directory / "b.log"), entry(directory / "c.log")}));
  EXPECT_EQ(discoverer.discover(0), Lines{}) << "no time, no answer";
  // What is discovered can be set as it is.
  EXPECT_EQ(Consumer(discoverer, "{\"path\":\"" + (directory / "a.log") + "\"}").collect(1), Lines{"x"});
}

TEST_F(File, DiscoversNothingWithoutAPattern) {
  append(log, "x\n");
  EXPECT_EQ(plugin.discover(), Lines{});
}

TEST_F(File, DiscoversABoundedNumber) {
  for (int i = 0; i < 10001; ++i) std::ofstream(directory / std::to_string(i));
  EXPECT_EQ(Plugin("file", discovering(directory / "*")).discover().size(), 10000u);
}

TEST_F(File, DiscoveryFailsWhenNothingCanBeRead) {
  std::filesystem::create_symlink("loop", directory / "loop");
  Plugin lost("file", discovering(directory / "loop/*"));
  const Error error = error_of([&] { lost.discover(); });
  EXPECT_EQ(error.code, KPS_INVALID_ARGUMENT);
  EXPECT_NE(std::string(error.what()).find("loop/*: Too many levels"), std::string::npos) << error.what();
  append(log, "x\n");
  EXPECT_EQ(Plugin("file", discovering(directory / "*")).discover(), Lines{entry(log)}) << "the rest is there";
}

TEST_F(File, RefusesStaticParametersThatItDoesNotKnow) {
  const Error error = error_of([&] { Plugin("file", "{\"discovery\":\"/*\"}"); });
  EXPECT_EQ(error.code, KPS_INVALID_ARGUMENT);
  EXPECT_NE(std::string(error.what()).find("\"discovery\""), std::string::npos) << error.what();
}

}  // namespace
}  // namespace kps::testing
