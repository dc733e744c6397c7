// The text of the files, and every way in which it can be torn or changed.
#include "host/state/state_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <random>

#include "host/state/crc64.h"

namespace kps {
namespace {

using testing::HasSubstr;

constexpr std::size_t kLastLineSize = sizeof "{\"crc64\":\"995dc9bbdf1939fa\"}\n" - 1;

DesiredState Desired() {
  DesiredState state;
  state.saves = 7;
  state.streams["in"] = {"in", Direction::kIngress, "a.b", "{\"path\":\"/var/log\",\"rate\":1.5}"};
  // Numbers as std::to_chars writes them, and RapidJSON does not.
  state.streams["out \"\n"] = {"out \"\n", Direction::kEgress, "a.>", "{\"big\":1e+20}"};
  state.generations = {{"in", 3}, {"out \"\n", 7}};
  state.config = {{"object", "{\"a\":[1,2,null]}"}, {"text", "\"\\u00e9 \\\"quoted\\\"\""}, {"number", "1e+20"}};
  return state;
}

std::vector<SavedPoint> Points() {
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
  return {{"a", 1, {"4711", "run-1", 17}}, {"b", 2, {every_byte, "", UINT64_MAX}}, {"\xC3\xA9", 3, {"", "r\xFF", 0}}};
}

std::string DesiredText(const std::string& connector = "edge-1") {
  std::string text;
  EncodeDesired(Desired(), connector, &text);
  return text;
}

std::string PositionsText(const std::string& connector = "edge-1") {
  std::string text;
  EncodePositions(Points(), connector, &text);
  return text;
}

// With a last line that fits.
std::string Sealed(std::string text) {
  char line[40];
  std::snprintf(line, sizeof line, "{\"crc64\":\"%016llx\"}\n", static_cast<unsigned long long>(Crc64(text)));
  return text + line;
}

std::string WithoutLastLine(const std::string& text) { return text.substr(0, text.size() - kLastLineSize); }

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
  return Sealed(WithoutLastLine(text));
}

Error DesiredError(const std::string& text, const std::string& connector = "edge-1") {
  auto decoded = DecodeDesired(text, connector);
  return decoded.ok() ? Error() : decoded.error();
}

Error PositionsError(const std::string& text, const std::string& connector = "edge-1") {
  auto decoded = DecodePositions(text, connector);
  return decoded.ok() ? Error() : decoded.error();
}

TEST(StateFile, ChecksumIsThatOfXz) { EXPECT_EQ(Crc64("123456789"), 0x995DC9BBDF1939FAu); }

TEST(StateFile, WhatIsEncodedIsDecoded) {
  auto desired = DecodeDesired(DesiredText(), "edge-1");
  ASSERT_TRUE(desired.ok()) << desired.error().ToString();
  EXPECT_EQ(desired.value().saves, 7u);
  EXPECT_EQ(desired.value().streams, Desired().streams);
  EXPECT_EQ(desired.value().generations, Desired().generations);
  EXPECT_EQ(desired.value().config, Desired().config);

  auto points = DecodePositions(PositionsText(), "edge-1");
  ASSERT_TRUE(points.ok()) << points.error().ToString();
  ASSERT_EQ(points.value().size(), Points().size());
  for (std::size_t i = 0; i < Points().size(); ++i) {
    EXPECT_EQ(points.value()[i].stream_id, Points()[i].stream_id);
    EXPECT_EQ(points.value()[i].generation, Points()[i].generation);
    EXPECT_EQ(points.value()[i].point, Points()[i].point);
  }
}

TEST(StateFile, NothingIsEncodedAndDecoded) {
  std::string text;
  EncodeDesired({}, "", &text);
  EXPECT_TRUE(DecodeDesired(text, "").ok());
  EncodePositions({}, "", &text);
  EXPECT_TRUE(DecodePositions(text, "").ok());
}

TEST(StateFile, APersonCanReadIt) {
  EXPECT_THAT(DesiredText(),
              HasSubstr("\n{\"id\":\"in\",\"generation\":3,\"direction\":\"INGRESS\",\"channel\":\"a.b\","
                        "\"metadata\":{\"path\":\"/var/log\",\"rate\":1.5}},\n"));
  EXPECT_THAT(DesiredText(), HasSubstr("\"metadata_text\":\"{\\\"big\\\":1e+20}\""));
  std::string text;
  EncodePositions(std::vector<SavedPoint>{{"a", 1, {"4711", "b7", 17}}, {"b", 2, {"\n", "", 0}}}, "edge-1", &text);
  EXPECT_EQ(WithoutLastLine(text),
            "{\"format\":\"kps-connector-host positions\",\"version\":1,\"connector\":\"edge-1\"}\n"
            "{\"streams\":[\n"
            "{\"id\":\"a\",\"generation\":1,\"position\":\"4711\",\"run\":\"b7\",\"message_count\":17},\n"
            "{\"id\":\"b\",\"generation\":2,\"position_hex\":\"0a\",\"run\":\"\",\"message_count\":0}\n"
            "]}\n");
}

TEST(StateFile, EveryTruncationIsFound) {
  for (const std::string& text : {DesiredText(), PositionsText()}) {
    for (std::size_t size = 0; size < text.size(); ++size) {
      EXPECT_EQ(DesiredError(text.substr(0, size)).code(), Code::kDataLoss) << size;
      EXPECT_EQ(PositionsError(text.substr(0, size)).code(), Code::kDataLoss) << size;
    }
  }
  EXPECT_THAT(DesiredError("").message(), HasSubstr("it is empty"));
}

TEST(StateFile, EveryChangedByteIsFound) {
  const std::string desired = DesiredText();
  const std::string positions = PositionsText();
  for (int change = 1; change < 256; ++change) {
    for (std::size_t i = 0; i < std::max(desired.size(), positions.size()); ++i) {
      for (const bool of_desired : {true, false}) {
        std::string text = of_desired ? desired : positions;
        if (i >= text.size()) continue;
        text[i] = static_cast<char>(text[i] ^ change);
        ASSERT_FALSE((of_desired ? DesiredError(text) : PositionsError(text)).ok()) << i << " ^ " << change;
      }
    }
  }
}

TEST(StateFile, WhatIsAddedIsFound) {
  EXPECT_EQ(DesiredError(DesiredText() + "\n").code(), Code::kDataLoss);
  EXPECT_EQ(DesiredError("\n" + DesiredText()).code(), Code::kDataLoss);
  EXPECT_EQ(PositionsError(PositionsText() + PositionsText()).code(), Code::kDataLoss);
}

// Content that nobody tore, but that is not as it was written: an answer, and nothing worse.
TEST(StateFile, ChangedContentWithARightChecksumIsSurvived) {
  std::minstd_rand random(1);
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = WithoutLastLine(round % 2 == 0 ? DesiredText() : PositionsText());
    for (unsigned i = 0; i < 1 + random() % 3; ++i) text[random() % text.size()] = static_cast<char>(random());
    text = Sealed(text);
    const Error error = round % 2 == 0 ? DesiredError(text) : PositionsError(text);
    if (!error.ok()) ++refused;
  }
  EXPECT_GT(refused, 1000);
}

TEST(StateFile, ALaterVersionIsNamedEvenWithAChecksumOfItsOwn) {
  const std::string later = WithoutLastLine(Replaced(DesiredText(), "\"version\":1", "\"version\":2")) + "sha512:...\n";
  EXPECT_EQ(DesiredError(later).code(), Code::kUnimplemented);
  EXPECT_THAT(DesiredError(later).message(), HasSubstr("is of version 2, but this program knows only 1"));
  EXPECT_EQ(PositionsError(Replaced(PositionsText(), "\"version\":1", "\"version\":99")).code(), Code::kUnimplemented);
}

TEST(StateFile, FilesOfOthersAreNamed) {
  EXPECT_THAT(DesiredError(PositionsText()).message(), HasSubstr("no file of this program"));
  EXPECT_THAT(DesiredError(Sealed("root:x:0:0\n")).message(), HasSubstr("no file of this program"));
  EXPECT_EQ(PositionsError(PositionsText("edge-2")).code(), Code::kDataLoss);
  EXPECT_THAT(PositionsError(PositionsText("edge-2")).message(),
              HasSubstr("is of connector \"edge-2\", but this is \"edge-1\""));
  EXPECT_TRUE(DesiredError(DesiredText("edge-2"), "").ok()) << "a host without an id takes every one";
  EXPECT_TRUE(DesiredError(DesiredText(""), "edge-1").ok()) << "written by a host without an id";
}

TEST(StateFile, IncompleteContentIsFound) {
  const auto desired = [](const char* from, const char* to) {
    return DesiredError(Replaced(DesiredText(), from, to)).message();
  };
  EXPECT_THAT(desired("\"connector\"", "\"other\""), HasSubstr("names no connector"));
  EXPECT_THAT(desired("{\"saves\"", "{saves"), HasSubstr("no JSON"));
  EXPECT_THAT(desired("\"saves\"", "\"other\""), HasSubstr("lacks"));
  EXPECT_THAT(desired("\"config\":[", "\"other\":["), HasSubstr("lacks"));
  EXPECT_THAT(desired("\"channel\"", "\"other\""), HasSubstr("a stream of it is not complete"));
  EXPECT_THAT(desired("INGRESS", "SIDEWAYS"), HasSubstr("a stream of it is not complete"));
  EXPECT_THAT(desired("\"metadata\"", "\"other\""), HasSubstr("a stream of it is not complete"));
  EXPECT_THAT(desired("\"key\"", "\"other\""), HasSubstr("its config is not complete"));
  const auto positions = [](const char* from, const char* to) {
    return PositionsError(Replaced(PositionsText(), from, to)).message();
  };
  EXPECT_THAT(positions("\"streams\"", "\"other\""), HasSubstr("lacks \"streams\""));
  for (const char* member : {"\"id\"", "\"generation\"", "\"position\"", "\"run\"", "\"message_count\""}) {
    EXPECT_THAT(positions(member, "\"other\""), HasSubstr("a stream of it is not complete")) << member;
  }
  EXPECT_THAT(positions("_hex\":\"0001", "_hex\":\"000"), HasSubstr("not complete")) << "an odd number of digits";
  EXPECT_THAT(positions("_hex\":\"0001", "_hex\":\"00x1"), HasSubstr("not complete"));
}

}  // namespace
}  // namespace kps
