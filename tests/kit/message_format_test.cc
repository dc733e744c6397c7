#include "cli/kit/run/message_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kps::cli {
namespace {

using testing::HasSubstr;

constexpr MessageFormat kFormats[] = {MessageFormat::kText, MessageFormat::kHex, MessageFormat::kJson};

constexpr std::int64_t kTimestamp = 1'764'000'000'123'456'789;  // no double

std::string Line(const std::string& payload, MessageFormat format) {
  std::string line;
  AppendMessage({payload, kTimestamp}, format, &line);
  return line;
}

TEST(MessageFormatTest, LinesOfEachFormat) {
  EXPECT_EQ(Line("a \"b\"", MessageFormat::kText), "a \"b\"\n");
  EXPECT_EQ(Line("a\xFF", MessageFormat::kHex), "61ff\n");
  EXPECT_EQ(Line("a \"b\"\n", MessageFormat::kJson),
            "{\"timestampNs\":1764000000123456789,\"payload\":\"a \\\"b\\\"\\n\"}\n");
  EXPECT_EQ(Line("a\xFF", MessageFormat::kJson), "{\"timestampNs\":1764000000123456789,\"payloadHex\":\"61ff\"}\n");
}

TEST(MessageFormatTest, WhatIsPrintedComesBack) {
  for (const MessageFormat format : kFormats) {
    for (const std::string& payload : {std::string(), std::string("text"), std::string("\xC3\xA9\0\xFF", 4)}) {
      const std::string line = Line(payload, format);
      const auto parsed = ParseMessage(std::string_view(line).substr(0, line.size() - 1), format);
      ASSERT_TRUE(parsed.ok()) << parsed.failure().text;
      EXPECT_EQ(parsed.value(), payload);
    }
  }
}

TEST(MessageFormatTest, LinesThatAreNone) {
  for (const char* line : {"a", "0g", "zz", " 00 "}) {
    const auto parsed = ParseMessage(line, MessageFormat::kHex);
    ASSERT_FALSE(parsed.ok()) << line;
    EXPECT_THAT(parsed.failure().text, HasSubstr("two digits for each byte"));
  }
  for (const char* line : {"", "text", "[]", "{}", R"({"payload": 1})", R"({"payloadHex": "0"})"}) {
    const auto parsed = ParseMessage(line, MessageFormat::kJson);
    ASSERT_FALSE(parsed.ok()) << line;
    EXPECT_THAT(parsed.failure().text, HasSubstr("is not {\"payload\""));
  }
  EXPECT_EQ(ParseMessage("00fF", MessageFormat::kHex).value(), std::string("\0\xFF", 2));
}

}  // namespace
}  // namespace kps::cli
