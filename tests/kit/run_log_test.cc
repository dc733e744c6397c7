#include "cli/kit/run/run_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace kps::cli {
namespace {

TEST(RunLogTest, LinesFromTheLevelOn) {
  std::ostringstream err;
  RunLog log(&err);
  log.Log(LogLevel::kDebug, "", "unseen");
  log.Log(LogLevel::kInfo, "", "of the host");
  log.Log(LogLevel::kWarn, "s", "of a\x1b stream");
  log.SetLevel(LogLevel::kDebug);
  log.Log(LogLevel::kDebug, "", "seen");
  log.SetLevel(LogLevel::kError);
  log.Log(LogLevel::kWarn, "", "unseen");
  log.Log(LogLevel::kError, "", "last");
  EXPECT_EQ(err.str(), "INFO  of the host\nWARN  s: of a  stream\nDEBUG seen\nERROR last\n");
}

TEST(RunLogTest, EventIsShownWhenItIsNewOrHasChanged) {
  std::ostringstream err;
  RunLog log(&err);
  Event event{EventKind::kAlert,  "brokerAway",      "s", "no answer",
              Severity::kWarning, State::kUnhealthy, 1,   R"({"broker":"b"})"};
  log.ShowEvents({event});
  log.ShowEvents({event});
  EXPECT_EQ(err.str(), "EVENT alert brokerAway: WARNING, UNHEALTHY: no answer {\"broker\":\"b\"}\n");
  for (const std::string message : {"still no answer", "no answer"}) {
    err.str("");
    event.message = message;
    log.ShowEvents({event});
    EXPECT_EQ(err.str(), "EVENT alert brokerAway: WARNING, UNHEALTHY: " + message + " {\"broker\":\"b\"}\n");
  }
}

TEST(RunLogTest, EventWhoseTimeAloneHasChangedIsNotShownAgain) {
  std::ostringstream err;
  RunLog log(&err);
  Event event{EventKind::kAlert, "brokerAway", "s", "no answer", Severity::kWarning, State::kUnhealthy, 1, ""};
  log.ShowEvents({event});
  err.str("");
  event.created_at_ns = 2;
  log.ShowEvents({event});
  EXPECT_EQ(err.str(), "");
}

TEST(RunLogTest, EventThatWasGoneIsShownAgain) {
  std::ostringstream err;
  RunLog log(&err);
  const Event event{EventKind::kAlert, "brokerAway", "s", "no answer", Severity::kWarning, State::kUnhealthy, 1, ""};
  log.ShowEvents({event});
  log.ShowEvents({});
  err.str("");
  log.ShowEvents({event});
  EXPECT_EQ(err.str(), "EVENT alert brokerAway: WARNING, UNHEALTHY: no answer\n");
}

TEST(RunLogTest, ReasonOfAnEventOfTheHost) {
  const Event event{EventKind::kStatus,     "streamUnhealthy", "s", "stream is unhealthy",
                    Severity::kUnspecified, State::kUnhealthy, 1,   R"({"ErrorMessage":"no file","StreamID":"s"})"};
  EXPECT_EQ(EventLine(event), "status streamUnhealthy: UNHEALTHY: stream is unhealthy: no file");
}

}  // namespace
}  // namespace kps::cli
