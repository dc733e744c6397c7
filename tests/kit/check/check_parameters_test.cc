#include "cli/kit/check/check_parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace kps::cli {
namespace {

using testing::HasSubstr;

std::istream& NoInput() {
  static std::istringstream none;
  return none;
}

PluginDescriptor Descriptor() {
  PluginDescriptor descriptor;
  descriptor.ingress = descriptor.egress = true;
  descriptor.static_schema = R"({"type":"object","properties":{"s":{"type":"integer","default":1}}})";
  descriptor.stream_schema = R"({"type":"object","properties":{"m":{"type":"string","default":"made up"}}})";
  return descriptor;
}

CheckParameters Choose(const GivenParameters& given, const PluginDescriptor& descriptor = Descriptor()) {
  auto parameters = ChooseParameters("p.so", descriptor, given, NoInput());
  EXPECT_TRUE(parameters.ok()) << parameters.failure().text;
  return parameters.ok() ? parameters.value() : CheckParameters();
}

std::string Refused(const GivenParameters& given) {
  const auto parameters = ChooseParameters("p.so", Descriptor(), given, NoInput());
  return parameters.ok() ? "accepted" : parameters.failure().text;
}

TEST(CheckParameters, AreMadeUpWhereNoneAreGiven) {
  const CheckParameters parameters = Choose({});
  EXPECT_EQ(parameters.static_json, R"({"s":1})");
  EXPECT_EQ(parameters.config_json, "{}");
  EXPECT_EQ(parameters.ingress_json, R"({"m":"made up"})");
  EXPECT_EQ(parameters.egress_json, R"({"m":"made up"})");
  EXPECT_TRUE(std::filesystem::path(parameters.file).is_absolute());
  PluginDescriptor ingress_only = Descriptor();
  ingress_only.egress = false;
  EXPECT_EQ(Choose({{}, "", {R"({"m":"x"})"}}, ingress_only).egress_json, "");
}

TEST(CheckParameters, AreMarkedWhereTheyWereMadeUp) {
  EXPECT_EQ(Choose({}).made_up, kMadeUpConnector | kMadeUpIngress | kMadeUpEgress);
  EXPECT_EQ(Choose({{}, "", {R"({"m":"x"})"}}).made_up, std::uint32_t{kMadeUpConnector});
  const std::string out = R"({"name":"out","direction":"EGRESS","stream":{"m":"y"}})";
  EXPECT_EQ(Choose({{}, "", {out}}).made_up, kMadeUpConnector | kMadeUpIngress);
  // Of the config, there is nothing to make up.
  EXPECT_EQ(Choose({{"s=2"}, "", {R"({"m":"x"})"}}).made_up, 0u);
  EXPECT_EQ(Choose({{}, R"({"k":1})", {R"({"m":"x"})"}}).made_up, std::uint32_t{kMadeUpConnector});
  PluginDescriptor bare = Descriptor();
  bare.static_schema.clear();
  EXPECT_EQ(Choose({{}, R"({"k":1})", {R"({"m":"x"})"}}, bare).made_up, 0u);
}

TEST(CheckParameters, ThatAreMadeUpLeaveOutWhatIsAboutTheOtherDirection) {
  PluginDescriptor descriptor = Descriptor();
  descriptor.stream_schema = R"({"type":"object","properties":{
      "from":{"default":"start","description":"INGRESS: where to begin"},
      "keep":{"default":true,"description":"EGRESS: whether it is kept"}}})";
  const CheckParameters parameters = Choose({}, descriptor);
  EXPECT_EQ(parameters.ingress_json, R"({"from":"start"})");
  EXPECT_EQ(parameters.egress_json, R"({"keep":true})");
}

TEST(CheckParameters, AreJsonOrAFileThePlatformsOrTheMetadataAlone) {
  EXPECT_EQ(Choose({{"s=2"}, "", {}}).static_json, R"({"s":2})");
  EXPECT_EQ(Choose({{}, R"({"name":"c","config":{"k":1}})", {}}).config_json, R"({"k":1})");
  EXPECT_EQ(Choose({{}, R"({"k":2})", {}}).config_json, R"({"k":2})");
  const CheckParameters both =
      Choose({{}, "", {R"({"m":"x"})", R"({"name":"out","direction":"EGRESS","stream":{"m":"y"}})"}});
  EXPECT_EQ(both.ingress_json, R"({"m":"x"})");
  EXPECT_EQ(both.egress_json, R"({"m":"y"})");
  const std::string file = testing::TempDir() + "check_parameters_stream.json";
  std::ofstream(file) << R"({"name":"in","direction":"INGRESS","stream":{"m":"z"}})";
  EXPECT_EQ(Choose({{}, "", {file}}).ingress_json, R"({"m":"z"})");
  EXPECT_EQ(Choose({{}, "", {file}}).egress_json, R"({"m":"made up"})");
  std::remove(file.c_str());
}

TEST(CheckParameters, ThatCannotBeMadeUpHaveToBeGiven) {
  PluginDescriptor descriptor = Descriptor();
  descriptor.stream_schema = R"({"type":"object","required":["url"],"properties":{"url":{"pattern":"^tcp:"}}})";
  const auto refused = ChooseParameters("p.so", descriptor, {}, NoInput());
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.failure().text, testing::AllOf(HasSubstr("parameters.url"), HasSubstr("--stream")));
  EXPECT_EQ(Choose({{}, "", {R"({"url":"tcp:x"})"}}, descriptor).ingress_json, R"({"url":"tcp:x"})");
  descriptor.egress = false;
  const std::string egress = R"({"name":"out","direction":"EGRESS","stream":{"url":"tcp:x"}})";
  EXPECT_THAT(ChooseParameters("p.so", descriptor, {{}, "", {egress}}, NoInput()).failure().text,
              HasSubstr("--stream: the plugin runs no EGRESS streams"));
}

TEST(CheckParameters, ThatAreWrongAreRefusedWithTheirPlace) {
  EXPECT_THAT(Refused({{"s=two"}, "", {}}), HasSubstr("--static-param: s "));
  EXPECT_THAT(Refused({{"=two"}, "", {}}), HasSubstr("--static-param =two: KEY=VALUE is needed"));
  EXPECT_THAT(Refused({{}, "", {R"({"m":1})"}}), HasSubstr("--stream: m "));
  EXPECT_THAT(Refused({{}, "{", {}}), HasSubstr("--config:1:"));
  EXPECT_THAT(Refused({{}, "", {"/nowhere.json"}}), HasSubstr("cannot read /nowhere.json: No such file"));
  EXPECT_THAT(Refused({{}, "/tmp", {}}), HasSubstr("cannot read /tmp: it is a directory"));
  EXPECT_THAT(Refused({{}, "", {R"({"name":"s","direction":"SIDEWAYS","stream":{}})"}}),
              HasSubstr("\"direction\" must be"));
}

}  // namespace
}  // namespace kps::cli
