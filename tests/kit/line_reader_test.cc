#include "cli/kit/run/line_reader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "tests/kit/run_tool.h"

namespace kps::cli {
namespace {

using Outcome = LineReader::Outcome;

// A file that holds `content`.
FileDescriptor Open(const TempFolder& folder, const std::string& content) {
  return FileDescriptor(open(folder.Write("lines", content).c_str(), O_RDONLY | O_CLOEXEC));
}

TEST(LineReaderTest, LinesAndTheLastOneWithoutANewline) {
  const TempFolder folder;
  const FileDescriptor file = Open(folder, "first\n\n" + std::string(200'000, 'x') + "\nlast");
  LineReader reader(file.get(), std::stop_token());
  std::string line;
  ASSERT_EQ(reader.Next(&line), Outcome::kLine);
  EXPECT_EQ(line, "first");
  ASSERT_EQ(reader.Next(&line), Outcome::kLine);
  EXPECT_EQ(line, "");
  ASSERT_EQ(reader.Next(&line), Outcome::kLine);
  EXPECT_EQ(line.size(), 200'000u);
  ASSERT_EQ(reader.Next(&line), Outcome::kLine);
  EXPECT_EQ(line, "last");
  EXPECT_EQ(reader.Next(&line), Outcome::kEnd);
  EXPECT_EQ(reader.Next(&line), Outcome::kEnd);
}

TEST(LineReaderTest, StopEndsAWait) {
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  const FileDescriptor reading(fds[0]);
  const FileDescriptor writing(fds[1]);
  std::stop_source stop;
  LineReader reader(reading.get(), stop.get_token());
  std::string line;
  std::thread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(reader.Next(&line), Outcome::kStopped);
  stopper.join();
}

TEST(LineReaderTest, DescriptorThatCannotBeRead) {
  const FileDescriptor folder(open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  LineReader reader(folder.get(), std::stop_token());
  std::string line;
  EXPECT_EQ(reader.Next(&line), Outcome::kFailed);
}

TEST(LineReaderTest, LineWithoutAnEnd) {
  const FileDescriptor zeros(open("/dev/zero", O_RDONLY | O_CLOEXEC));
  LineReader reader(zeros.get(), std::stop_token());
  std::string line;
  EXPECT_EQ(reader.Next(&line), Outcome::kTooLong);
}

}  // namespace
}  // namespace kps::cli
