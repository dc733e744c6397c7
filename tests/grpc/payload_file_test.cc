// Streams and config from a file: what is wrong in it is named with its place.

#include "host/grpc/payload_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "host/grpc/json_complaint.h"

namespace kps {
namespace {

// What is said of a file with this content, without its name; empty: nothing.
std::string Complaint(const std::string& content) {
  std::string path = testing::TempDir() + "payload-file-test-XXXXXX";
  const int fd = mkstemp(path.data());
  EXPECT_NE(fd, -1);
  close(fd);
  std::ofstream(path) << content;
  const auto read = ReadPayloadFile(path, "me");
  std::filesystem::remove(path);
  if (read.ok()) return {};
  EXPECT_EQ(read.error().code(), Code::kInvalidArgument);
  const std::string start = path + " is no SetPayloadRequest: ";
  EXPECT_THAT(read.error().message(), testing::StartsWith(start));
  return read.error().message().substr(start.size());
}

std::string WithMetadata(const std::string& metadata) {
  return "{\"payloads\": [{\"config\": {}}, {\"stream\": {\"id\": \"a\",\n\"metadata\": " + metadata + "}}]}";
}

std::string Objects(int levels) {
  std::string json = "1";
  for (int i = 0; i < levels; ++i) json = "{\"n: {\":" + json + "}";
  return json;
}

TEST(PayloadFile, MetadataNestedTooDeepAreLocated) {
  EXPECT_EQ(Complaint(WithMetadata(Objects(32))), "");
  // 13 columns before the metadata, and 8 for each object.
  const std::string said = "what begins at line 2, column 269 is nested too deep: metadata have up to 32 levels";
  for (const int levels : {33, 60, 200, 10'000}) EXPECT_EQ(Complaint(WithMetadata(Objects(levels))), said) << levels;
  const std::string lists(1'000'000, '[');
  EXPECT_THAT(Complaint(lists), testing::StartsWith("what begins at line 1, column 37 is nested too deep"));
}

TEST(PayloadFile, AnIntegerThatIsNoDoubleIsRefused) {
  EXPECT_EQ(Complaint(WithMetadata("{\"n\": [9007199254740992, 9007199254740993]}")),
            "line 2, column 38: 9007199254740993 would become 9007199254740992, as numbers are doubles: write it as a "
            "string, \"9007199254740993\"");
  EXPECT_EQ(Complaint(WithMetadata("{\"n\": [9007199254740992, \"9007199254740993\", 1e300]}")), "");
}

TEST(JsonComplaint, IsTakenApart) {
  struct Row {
    const char* said;
    const char* path;
    const char* text;
  };
  const Row rows[] = {
      {"(payloads[0].stream) chanel: Cannot find field.", "payloads[0].stream.chanel", "Cannot find field."},
      {"(payloads[0].stream.id): invalid value 7", "payloads[0].stream.id", "invalid value 7"},
      {"chanel: Cannot find field.", "chanel", "Cannot find field."},
      {": Root element must be a message.", "", "Root element must be a message."},
      {"JSON transcoder produced invalid protobuf output.", "", "JSON transcoder produced invalid protobuf output."},
      {"", "", ""},
  };
  for (const Row& row : rows) {
    const JsonComplaint complaint = SplitJsonComplaint(row.said);
    EXPECT_EQ(complaint.path, row.path) << row.said;
    EXPECT_EQ(complaint.text, row.text) << row.said;
  }
}

}  // namespace
}  // namespace kps
