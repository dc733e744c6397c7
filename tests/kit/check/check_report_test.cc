#include "cli/kit/check/check_report.h"

#include <gtest/gtest.h>

#include "cli/render.h"
#include "host/core/json.h"

namespace kps::cli {
namespace {

using Outcome = RuleResult::Outcome;
using std::chrono::milliseconds;

CheckReport Report() {
  CheckReport report{"/a/mine.so", "mine", "1.2.3", {}, {}};
  report.results.push_back({FindRule("table"), Outcome::kKept, {}, {"built long ago"}, milliseconds(12)});
  report.results.push_back({FindRule("flush"),
                            Outcome::kBroken,
                            {"flush answered INTERNAL: \"<&\x01", "and again"},
                            {},
                            milliseconds(1500)});
  report.results.push_back({FindRule("ack"), Outcome::kNotExamined, {"there is no ack"}, {}, milliseconds(3)});
  return report;
}

TEST(CheckReport, TellsAPersonWhatIsBrokenAndWhatToDo) {
  EXPECT_EQ(
      CheckText(Report()),
      std::string("mine 1.2.3, /a/mine.so\n"
                  "  kept    table            the table says what the plugin is, in full\n"
                  "          (built long ago)\n"
                  "  BROKEN  flush            flush makes good for what was taken, in time, and may be called again\n"
                  "          ! flush answered INTERNAL: \"<&") +
          Printable("\x01") +
          "\n"
          "          ! and again\n"
          "          > wait for the service's confirmation; KPS_DEADLINE_EXCEEDED when it does not come\n"
          "  -       ack              not examined: there is no ack\n"
          "\n"
          "1 rules kept, 1 broken, 1 not examined\n");
}

TEST(CheckReport, IsJsonForAProgram) {
  const auto json = ParseJsonObject(CheckJson(Report()));
  ASSERT_TRUE(json.ok()) << json.error().message();
  EXPECT_EQ(json.value().at("conforms"), "false");
  EXPECT_EQ(json.value().at("name"), "\"mine\"");
  const std::string rules = json.value().at("rules");
  EXPECT_NE(rules.find("\"outcome\":\"broken\""), std::string::npos) << rules;
  EXPECT_NE(rules.find("\"notes\":[\"built long ago\"]"), std::string::npos) << rules;
  CheckReport good = Report();
  good.results.erase(good.results.begin() + 1);
  EXPECT_EQ(ParseJsonObject(CheckJson(good)).value().at("conforms"), "true");
}

TEST(CheckReport, IsJunitForACiServer) {
  EXPECT_EQ(CheckJunit(Report()),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuite name=\"mine 1.2.3, /a/mine.so\" tests=\"3\" failures=\"1\" skipped=\"1\">\n"
            "  <testcase classname=\"mine\" name=\"table\" time=\"0.012\"></testcase>\n"
            "  <testcase classname=\"mine\" name=\"flush\" time=\"1.500\">"
            "<failure message=\"flush makes good for what was taken, in time, and may be called again\">"
            "flush answered INTERNAL: &quot;&lt;&amp;?\nand again\n"
            "wait for the service's confirmation; KPS_DEADLINE_EXCEEDED when it does not come</failure></testcase>\n"
            "  <testcase classname=\"mine\" name=\"ack\" time=\"0.003\">"
            "<skipped message=\"there is no ack\"/></testcase>\n"
            "</testsuite>\n");
}

}  // namespace
}  // namespace kps::cli
