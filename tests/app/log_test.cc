#include "host/app/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kps {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// What the logger writes to stderr about one line of each level.
std::string AllLevels(Logger* logger) {
  testing::internal::CaptureStderr();
  logger->Log(LogLevel::kDebug, "", "a detail");
  logger->Log(LogLevel::kInfo, "", "a change");
  logger->Log(LogLevel::kWarn, "s", "a trouble");
  logger->Log(LogLevel::kError, "", "a failure");
  return testing::internal::GetCapturedStderr();
}

TEST(Log, TheLevelCanBeChangedWhileItRuns) {
  const auto logger = MakeLogger(LogLevel::kInfo, LogFormat::kText);
  EXPECT_THAT(AllLevels(logger.get()), AllOf(Not(HasSubstr("a detail")), HasSubstr("INFO  a change\n"),
                                             HasSubstr("WARN  [s] a trouble\n"), HasSubstr("ERROR a failure\n")));
  logger->SetLevel(LogLevel::kDebug);
  EXPECT_THAT(AllLevels(logger.get()), AllOf(HasSubstr("DEBUG a detail\n"), HasSubstr("a change")));
  logger->SetLevel(LogLevel::kError);
  EXPECT_THAT(AllLevels(logger.get()), AllOf(Not(HasSubstr("a trouble")), HasSubstr("a failure")));
}

}  // namespace
}  // namespace kps
