// Config: what the plugin gets, what the host keeps for itself, what is refused.
#include <gmock/gmock.h>

#include "host/core/host_config.h"
#include "tests/core/runtime_fixture.h"

namespace kps::test {
namespace {

using testing::HasSubstr;
using Config = RuntimeTest;

TEST_F(Config, IsMergedByKeyAndGivenToThePluginAsAWhole) {
  ASSERT_TRUE(Set({}, {{{"a", "1"}, {"b", "2"}}, {{"b", "3"}}}).error.ok());
  ASSERT_TRUE(Set({}, {{{"c", "4"}}}).error.ok());
  EXPECT_EQ(runtime_->Config(), (JsonMembers{{"a", "1"}, {"b", "3"}, {"c", "4"}}));
  EXPECT_EQ(Configs(),
            (Texts{"create 1 {}", "configure 1 {\"a\":1,\"b\":3}", "configure 1 {\"a\":1,\"b\":3,\"c\":4}"}));
}

TEST_F(Config, ThatStaysEqualIsNotGivenAgain) {
  ASSERT_TRUE(Set({}, {{{"a", "1"}}}).error.ok());
  ASSERT_TRUE(Set({}, {{{"a", "1"}}}).error.ok());
  ASSERT_TRUE(Set({}, {{{"a", "2"}}, {{"a", "1"}}}).error.ok()) << "what counts is the end";
  ASSERT_TRUE(Set({kIn}).error.ok());
  EXPECT_EQ(Configs(), (Texts{"create 1 {}", "configure 1 {\"a\":1}"}));
}

TEST_F(Config, ThatThePluginRefusesChangesNothing) {
  ASSERT_TRUE(Set({kIn}, {{{"a", "1"}}}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Subscribed(); }));
  // The plugin's code, and that of the answer: whether trying the same again may help.
  const std::vector<std::pair<Code, Code>> codes{{Code::kInvalidArgument, Code::kInvalidArgument},
                                                 {Code::kFailedPrecondition, Code::kInvalidArgument},
                                                 {Code::kInternal, Code::kInvalidArgument},
                                                 {Code::kUnavailable, Code::kUnavailable},
                                                 {Code::kDeadlineExceeded, Code::kUnavailable}};
  for (const auto& [code, answer] : codes) {
    world_.Do([&] { world_.configure = [code = code](const std::string&) { return Error(code, "a must be 1"); }; });
    const auto outcome = Set({kOut}, {{{"a", "2"}}, {{"log_level", "\"debug\""}}});
    EXPECT_EQ(outcome.error.code(), answer);
    ASSERT_EQ(outcome.violations.size(), 1u);
    EXPECT_EQ(outcome.violations[0].field, "payloads[2].config.metadata");
    EXPECT_THAT(outcome.violations[0].description, HasSubstr("a must be 1"));
    EXPECT_THAT(outcome.error.message(), HasSubstr(std::string(CodeName(code)) + ": a must be 1"));
    EXPECT_EQ(runtime_->Config(), (JsonMembers{{"a", "1"}}));
    EXPECT_EQ(world_.Do([&] { return world_.log_level; }), LogLevel::kInfo);
    ASSERT_EQ(runtime_->Streams().size(), 1u);
    EXPECT_EQ(runtime_->Streams()[0].stream, kIn);
  }
  const Texts log = world_.Do([&] { return world_.log; });
  EXPECT_THAT(log, testing::Contains(": config changed: \"a\""));
  EXPECT_THAT(log, testing::Contains(testing::StartsWith(": SetPayload refused: INVALID_ARGUMENT: payloads[2]")));
  world_.Do([&] { world_.source.push_back("still read"); });
  EXPECT_TRUE(Comes({"still read"}, &RuntimeTest::Published));
  EXPECT_EQ(Created().size(), 1u);
}

TEST_F(Config, LogLevelIsTheHostsOwn) {
  plugin_.mutable_descriptor()->config_schema =
      R"({"additionalProperties":false,"properties":{"a":{"type":"integer"}}})";
  Start();
  world_.Do([&] { world_.configs.clear(); });
  ASSERT_TRUE(Set({}, {{{"log_level", "\"Debug\""}}}).error.ok()) << "the plugin's schema does not apply";
  EXPECT_EQ(world_.Do([&] { return world_.log_level; }), LogLevel::kDebug);
  EXPECT_EQ(runtime_->Config(), (JsonMembers{{"log_level", "\"Debug\""}}));
  EXPECT_EQ(Configs(), Texts{}) << "the plugin is not asked";
  ASSERT_TRUE(Set({}, {{{"a", "1"}}}).error.ok());
  EXPECT_EQ(Configs(), Texts{"configure 2 {\"a\":1}"});
  EXPECT_EQ(world_.Do([&] { return world_.log_level; }), LogLevel::kDebug);
}

TEST_F(Config, ThatNeverNamedALogLevelLeavesTheLoggersOwn) {
  world_.log_level = LogLevel::kError;
  ASSERT_TRUE(Set({kIn}, {{{"a", "1"}}}).error.ok());
  EXPECT_EQ(world_.Do([&] { return world_.log_level; }), LogLevel::kError);
}

TEST_F(Config, AWrongLogLevelIsAViolation) {
  for (const char* wrong : {"\"loud\"", "\"\"", "\" INFO\"", "\"warning\"", "3", "null", "{}"}) {
    const auto outcome = Set({kIn}, {{{"a", "1"}}, {{"log_level", wrong}}});
    EXPECT_EQ(outcome.error.code(), Code::kInvalidArgument) << wrong;
    ASSERT_EQ(outcome.violations.size(), 1u) << wrong;
    EXPECT_EQ(outcome.violations[0].field, "payloads[2].config.metadata.log_level");
    for (const char* name : {"DEBUG", "INFO", "WARN", "ERROR"}) {
      EXPECT_THAT(outcome.violations[0].description, HasSubstr(name));
    }
  }
  EXPECT_TRUE(runtime_->Config().empty());
  EXPECT_TRUE(runtime_->Streams().empty());
}

TEST(LogLevelValue, IsReadInAnyCase) {
  EXPECT_EQ(ParseLogLevel("\"DEBUG\"").value(), LogLevel::kDebug);
  EXPECT_EQ(ParseLogLevel("\"info\"").value(), LogLevel::kInfo);
  EXPECT_EQ(ParseLogLevel("\"wArN\"").value(), LogLevel::kWarn);
  EXPECT_EQ(ParseLogLevel("\"Error\"").value(), LogLevel::kError);
  EXPECT_THAT(ParseLogLevel("\"" + std::string(5000, 'x') + "\"").error().message().size(), testing::Lt(200u));
}

}  // namespace
}  // namespace kps::test
