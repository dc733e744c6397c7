// `plugin check` with a plugin that keeps every rule, and with one that breaks exactly one: for each rule.
#include "cli/kit/check/examination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "cli/kit/check/check_parameters.h"
#include "cli/kit/check/check_report.h"
#include "cli/kit/inspect/plugin_report.h"
#include "tests/kit/run_tool.h"

namespace kps::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Outcome = RuleResult::Outcome;

constexpr char kKeepsAll[] = "none";

std::string FileOf(const std::string& broken) { return std::string(KPS_CONDUCT) + "/" + broken + "/conduct.so"; }

// With streams that are given, so that each refusal of them counts.
const GivenParameters kGivenStreams{{}, "", {R"({"pace": 1})"}};

std::vector<RuleResult> Examine(const std::string& file, const std::vector<std::string>& rules = {},
                                const GivenParameters& given = {}) {
  std::istringstream none;
  const auto report = InspectPlugin(file, {.program = KPS_CONNECTOR});
  const auto parameters = ChooseParameters(file, report.descriptor.value_or(PluginDescriptor{}), given, none);
  EXPECT_TRUE(parameters.ok());
  auto results = ExaminePlugin(parameters.value(), {.program = KPS_CONNECTOR, .rules = rules}, {});
  EXPECT_TRUE(results.ok());
  return results.value();
}

std::vector<std::string> Ids(const std::vector<RuleResult>& results, Outcome outcome) {
  std::vector<std::string> ids;
  for (const RuleResult& result : results) {
    if (result.outcome == outcome) ids.emplace_back(result.rule->id);
  }
  return ids;
}

std::string Text(const std::vector<RuleResult>& results) { return CheckText({"conduct.so", "", "", {}, results}); }

class EachRule : public testing::TestWithParam<std::string> {};

TEST_P(EachRule, IsBrokenAloneByAPluginThatBreaksIt) {
  const auto results = Examine(FileOf(GetParam()), {}, kGivenStreams);
  EXPECT_THAT(Ids(results, Outcome::kBroken), ElementsAre(GetParam())) << Text(results);
}

std::vector<std::string> RuleIds() {
  std::vector<std::string> ids;
  for (const Rule& rule : AllRules()) ids.emplace_back(rule.id);
  return ids;
}

INSTANTIATE_TEST_SUITE_P(Check, EachRule, testing::ValuesIn(RuleIds()), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Check, APluginThatKeepsEveryRuleIsExaminedInAllOfThem) {
  const auto results = Examine(FileOf(kKeepsAll));
  EXPECT_THAT(Ids(results, Outcome::kKept), testing::ElementsAreArray(RuleIds())) << Text(results);
}

TEST(Check, OneRuleCanBeExaminedAlone) {
  const auto results = Examine(FileOf(kKeepsAll), {"flush", "table"});
  EXPECT_THAT(Ids(results, Outcome::kKept), ElementsAre("table", "flush"));
  EXPECT_EQ(results.size(), 2u);
}

TEST(Check, WhatMayBeBrokenAnywhereIsLookedForEverywhere) {
  EXPECT_THAT(Ids(Examine(FileOf("host-calls"), {"host-calls"}), Outcome::kBroken), ElementsAre("host-calls"));
}

TEST(Check, ABrokenCreateIsShownToWhoAskedForAnother) {
  const auto results = Examine(FileOf("create"), {"ack"}, kGivenStreams);
  EXPECT_THAT(Ids(results, Outcome::kBroken), ElementsAre("create"));
  EXPECT_THAT(Ids(results, Outcome::kNotExamined), ElementsAre("ack"));
}

TEST(Check, ABrokenCreateIsNotShownToWhoDoesNotNeedIt) {
  const auto results = Examine(FileOf("create"), {"table"}, kGivenStreams);
  ASSERT_EQ(results.size(), 1u) << Text(results);
  EXPECT_THAT(Ids(results, Outcome::kKept), ElementsAre("table"));
}

TEST(Check, ARefusalOfParametersThatWereMadeUpBreaksNothing) {
  const auto results = Examine(FileOf("create"));
  EXPECT_THAT(Ids(results, Outcome::kBroken), testing::IsEmpty()) << Text(results);
  EXPECT_THAT(Ids(results, Outcome::kNotExamined), ElementsAre("create", "batch", "read-timeout", "read-wake",
                                                               "release", "position", "foreign-position", "ack"));
  EXPECT_THAT(
      Text(results),
      testing::AllOf(HasSubstr("not examined: the schema allows what the plugin refuses: create_consumer "
                               "answered INVALID_ARGUMENT: nothing is good enough, for the parameters "
                               "{\"pace\":1}, which were made up; make the schema stricter, or give --stream\n"),
                     HasSubstr("no consumer can be had: the plugin refuses the parameters that were made up; "
                               "give --stream\n")));
  const auto ack = Examine(FileOf("create"), {"ack"});
  ASSERT_EQ(ack.size(), 1u) << Text(ack);
  EXPECT_THAT(ack[0].sentences, ElementsAre(HasSubstr("give --stream")));
}

TEST(Check, AConnectorThatRefusesWhatWasMadeUpBreaksNothingEither) {
  const CheckParameters given{FileOf("choosy"), "{}", "{}", "{}", "{}"};
  CheckParameters made_up = given;
  made_up.made_up = kMadeUpConnector;
  const ExaminationOptions options{.program = KPS_CONNECTOR, .rules = {"create", "stop"}};
  const auto broken = ExaminePlugin(given, options, {});
  ASSERT_TRUE(broken.ok());
  EXPECT_THAT(Ids(broken.value(), Outcome::kBroken), ElementsAre("create"));
  const auto refused = ExaminePlugin(made_up, options, {});
  ASSERT_TRUE(refused.ok());
  EXPECT_THAT(Ids(refused.value(), Outcome::kNotExamined), ElementsAre("create", "stop"));
  EXPECT_THAT(refused.value()[1].sentences,
              ElementsAre("no connector could be made: the plugin refuses the parameters that were made up; give "
                          "--static-param and --config"));
}

TEST(Check, AServiceThatIsAwayIsNoFaultOfThePlugin) {
  const auto results = Examine(FileOf("away"));
  EXPECT_THAT(Ids(results, Outcome::kBroken), testing::IsEmpty()) << Text(results);
  EXPECT_THAT(Text(results), HasSubstr("create_consumer answered UNAVAILABLE: no service at all"));
  EXPECT_THAT(Ids(results, Outcome::kNotExamined),
              testing::IsSupersetOf({"batch", "read-timeout", "read-wake", "release", "position", "ack"}));
}

TEST(Check, ASourceThatIsSilentIsExaminedAsFarAsItGoes) {
  const auto results = Examine(FileOf("silent"), {"read-timeout", "read-wake", "batch", "release", "position", "ack"});
  EXPECT_THAT(Ids(results, Outcome::kKept), ElementsAre("read-timeout", "read-wake"));
  EXPECT_THAT(Ids(results, Outcome::kNotExamined), ElementsAre("batch", "release", "position", "ack"));
  EXPECT_THAT(Text(results), HasSubstr("no message came from a consumer"));
}

TEST(Check, WhatTakesLongIsExaminedLessOften) {
  const auto results = Examine(FileOf("slow"), {"hostile", "repeat"});
  EXPECT_THAT(Ids(results, Outcome::kKept), ElementsAre("repeat", "hostile")) << Text(results);
  EXPECT_THAT(Text(results), HasSubstr("each takes long"));
}

TEST(Check, WhatCannotBeLoadedBreaksTheTableAndLeavesTheRestUnexamined) {
  const auto results = Examine(Broken("missing_symbol"));
  EXPECT_THAT(Ids(results, Outcome::kBroken), ElementsAre("table")) << Text(results);
  EXPECT_THAT(Text(results), HasSubstr("does not export kps_plugin_v1"));
  EXPECT_THAT(Ids(results, Outcome::kKept), ElementsAre("errors", "exceptions", "host-calls"));
}

TEST(Check, ACrashIsNamedWithTheFunctionItIsIn) {
  const auto results = Examine(FileOf("hostile"), {"hostile"});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_THAT(results[0].sentences, ElementsAre(HasSubstr("in create_consumer")));
}

TEST(Check, ARuleThatTakesTooLongIsBroken) {
  const CheckParameters parameters{FileOf("hang"), "{}", "{}", "{}", "{}"};
  const auto results = ExaminePlugin(
      parameters,
      {.program = KPS_CONNECTOR, .rule_timeout = std::chrono::milliseconds(1000), .rules = {"create", "flush"}}, {});
  ASSERT_TRUE(results.ok());
  ASSERT_EQ(results.value().size(), 2u);
  EXPECT_THAT(results.value()[0].sentences, ElementsAre("it did not come back within 1 s: in create_consumer"));
  EXPECT_THAT(results.value()[1].sentences, ElementsAre(HasSubstr("no producer can be had: see create")));
}

TEST(Check, AProgramThatIsNotTheKitIsAFailure) {
  const auto results = ExaminePlugin({FileOf(kKeepsAll), "{}", "{}", "{}", "{}"}, {.program = "/nowhere"}, {});
  ASSERT_FALSE(results.ok());
  EXPECT_THAT(results.failure().text, HasSubstr("/nowhere"));
}

}  // namespace
}  // namespace kps::cli
