// plugin class: what the platform gets to know of a plugin.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <sstream>

#include "cli/kit/class/class_files.h"
#include "cli/kit/inspect/plugin_report.h"
#include "cli/stream_file.h"
#include "host/core/plugin_fit.h"
#include "host/core/schema.h"
#include "tests/kit/run_tool.h"

namespace kps::cli {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

std::string Content(const fs::path& file) {
  std::ifstream opened(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(opened), std::istreambuf_iterator<char>()};
}

rapidjson::Document Parsed(const std::string& json) {
  rapidjson::Document document;
  document.Parse(json.c_str());
  EXPECT_FALSE(document.HasParseError()) << json;
  return document;
}

std::string FileNamed(const std::vector<GeneratedFile>& files, const std::string& name) {
  for (const GeneratedFile& file : files) {
    if (file.name == name) return file.content;
  }
  ADD_FAILURE() << "no " << name;
  return "{}";
}

PluginDescriptor Descriptor() {
  PluginDescriptor plugin;
  plugin.name = "p";
  plugin.version = "1.2.3";
  plugin.description = "A \"plugin\".";
  plugin.ingress = true;
  return plugin;
}

class ClassOfTest : public testing::TestWithParam<const char*> {};

TEST_P(ClassOfTest, SamplesAreWhatThePluginsSchemasTake) {
  const TempFolder folder;
  const Ran ran = RunTool({"class", GetParam(), "--dir", folder.path() / "new" / "samples"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const fs::path samples = folder.path() / "new" / "samples";
  const auto report = InspectPlugin(std::string(KPS_PLUGINS "/") + GetParam() + ".so", {.program = KPS_CONNECTOR});
  ASSERT_THAT(report.problems, IsEmpty());
  const PluginDescriptor& plugin = *report.descriptor;
  const auto rules = MakeRules("", plugin);
  ASSERT_TRUE(rules.ok());

  for (const auto& [name, direction] : {std::pair("connector_stream_ingress.json", StreamDirection::kIngress),
                                        std::pair("connector_stream_egress.json", StreamDirection::kEgress)}) {
    std::istringstream none;
    const auto stream = ReadStreamFile(samples / name, none);  // as streams set reads it
    ASSERT_TRUE(stream.ok()) << stream.failure().text;
    EXPECT_EQ(stream.value().direction, direction);
    const auto violations = rules.value().stream_schema.Check(stream.value().metadata_json, "metadata");
    EXPECT_THAT(violations, IsEmpty()) << violations.front().field << ' ' << violations.front().description;
  }
  std::istringstream none;
  const auto config = ReadConfigFile(samples / "connector_config.json", none);
  ASSERT_TRUE(config.ok()) << config.failure().text;
  EXPECT_EQ(config.value(), R"({"log_level":"INFO"})");

  const auto connector_class = Parsed(Content(samples / "connector_class.json"));
  EXPECT_STREQ(connector_class["connectorVersion"].GetString(), plugin.version.c_str());
  EXPECT_STREQ(connector_class["type"].GetString(), "BIDIRECTIONAL");
  EXPECT_EQ(connector_class["yamlData"].GetString(), Content(samples / "connector.yaml"));
  const auto instance = Parsed(Content(samples / "connector_instance.json"));
  EXPECT_STREQ(instance["staticParameters"]["plugin"].GetString(), GetParam());
  EXPECT_STREQ(instance["connectorClassID"].GetString(), connector_class["name"].GetString());
}

INSTANTIATE_TEST_SUITE_P(Bundled, ClassOfTest, testing::Values("file", "generator", "template", "template-c"),
                         [](const auto& info) {
                           return std::string(info.param) == "template-c" ? "template_c" : info.param;
                         });

TEST(ClassTest, OnlyTheStreamsThatThePluginHas) {
  PluginDescriptor plugin = Descriptor();
  const auto names = [](const std::vector<GeneratedFile>& files) {
    std::vector<std::string> all;
    for (const GeneratedFile& file : files) all.push_back(file.name);
    return all;
  };
  const auto ingress = ClassFiles(plugin, "image", {});
  ASSERT_TRUE(ingress.ok()) << ingress.failure().text;
  EXPECT_THAT(names(ingress.value()),
              UnorderedElementsAre("connector_class.json", "connector_instance.json", "connector_config.json",
                                   "connector.yaml", "connector_stream_ingress.json"));
  EXPECT_STREQ(Parsed(FileNamed(ingress.value(), "connector_class.json"))["type"].GetString(), "INGRESS");
  plugin.ingress = false;
  plugin.egress = true;
  const auto egress = ClassFiles(plugin, "image", {});
  ASSERT_TRUE(egress.ok());
  EXPECT_STREQ(Parsed(FileNamed(egress.value(), "connector_class.json"))["type"].GetString(), "EGRESS");
  EXPECT_THAT(names(egress.value()), Not(testing::Contains("connector_stream_ingress.json")));
}

TEST(ClassTest, StaticParametersReachThePlugin) {
  PluginDescriptor plugin = Descriptor();
  plugin.static_schema = R"({"type": "object", "required": ["url"], "additionalProperties": false,
                             "properties": {"url": {"type": "string", "example": "tcp://b"}, "retries": {"default": 3}}})";
  const auto files = ClassFiles(plugin, "registry:5000/image", {});
  ASSERT_TRUE(files.ok()) << files.failure().text;
  const auto schema = Parsed(FileNamed(files.value(), "connector_class.json"));
  ASSERT_EQ(schema["staticParameterSchema"]["required"].Size(), 4u);
  const auto instance = Parsed(FileNamed(files.value(), "connector_instance.json"));
  EXPECT_STREQ(instance["staticParameters"]["url"].GetString(), "tcp://b");
  EXPECT_EQ(instance["staticParameters"]["retries"].GetInt(), 3);
  const std::string yaml = FileNamed(files.value(), "connector.yaml");
  EXPECT_THAT(yaml,
              AllOf(HasSubstr("image: \"registry:5000/image:{{ .Parameters.image_tag }}\"\n"),
                    HasSubstr("value: \"{{ .Parameters.plugin }}\"\n"),
                    HasSubstr("value: \"{{ .Parameters.log_level }}\"\n"), HasSubstr("--static-param=url={{ if eq "),
                    HasSubstr("{{- if ne (printf \"%T\" (index .Parameters \"retries\")) \"<nil>\" }}\n"),
                    HasSubstr("kind: Service\n"), Not(HasSubstr("@"))));
  EXPECT_THAT(yaml, Not(HasSubstr("{{- if ne (printf \"%T\" (index .Parameters \"url\"))")));
}

TEST(ClassTest, MetadataOfTheSamplesCanBeChosen) {
  PluginDescriptor plugin = Descriptor();
  plugin.stream_schema = R"({"properties": {"path": {"type": "string", "default": "x"}, "n": {"default": 1}}})";
  plugin.egress = true;
  const auto files = ClassFiles(plugin, "image", {{"path=/data", "n=2"}, {}, {"path=/out"}});
  ASSERT_TRUE(files.ok()) << files.failure().text;
  const auto stream = Parsed(FileNamed(files.value(), "connector_stream_ingress.json"));
  EXPECT_STREQ(stream["stream"]["path"].GetString(), "/data");
  EXPECT_EQ(stream["stream"]["n"].GetInt(), 2);
  const auto egress = Parsed(FileNamed(files.value(), "connector_stream_egress.json"));
  EXPECT_STREQ(egress["stream"]["path"].GetString(), "/out");
  EXPECT_EQ(egress["stream"]["n"].GetInt(), 2);
  const auto ingress_alone = ClassFiles(plugin, "image", {{}, {"n=3"}, {}});
  EXPECT_EQ(Parsed(FileNamed(ingress_alone.value(), "connector_stream_ingress.json"))["stream"]["n"].GetInt(), 3);
  EXPECT_EQ(Parsed(FileNamed(ingress_alone.value(), "connector_stream_egress.json"))["stream"]["n"].GetInt(), 1);
  const auto wrong = ClassFiles(plugin, "image", {{"path=2"}, {}, {}});
  EXPECT_EQ(wrong.failure().exit_code, kExitUsage);
  EXPECT_THAT(wrong.failure().text, HasSubstr("--metadata.path "));
  EXPECT_THAT(ClassFiles(plugin, "image", {{"path"}, {}, {}}).failure().text,
              HasSubstr("--metadata path: KEY=VALUE is needed"));
}

TEST(ClassTest, StaticParametersOfTheSampleCanBeChosen) {
  PluginDescriptor plugin = Descriptor();
  plugin.static_schema =
      R"({"additionalProperties": false, "properties": {"url": {"type": "string", "example": "a"}}})";
  const auto files = ClassFiles(plugin, "image", {.instance = {"url=b", "log_level=DEBUG"}});
  ASSERT_TRUE(files.ok()) << files.failure().text;
  const auto instance = Parsed(FileNamed(files.value(), "connector_instance.json"));
  EXPECT_STREQ(instance["staticParameters"]["url"].GetString(), "b");
  EXPECT_STREQ(instance["staticParameters"]["log_level"].GetString(), "DEBUG");
  EXPECT_STREQ(instance["staticParameters"]["plugin"].GetString(), "p");
  const auto wrong = ClassFiles(plugin, "image", {.instance = {"other=b"}});
  EXPECT_EQ(wrong.failure().exit_code, kExitUsage);
  EXPECT_THAT(wrong.failure().text, HasSubstr("--static-param"));
}

TEST(ClassTest, ImageWithATagHasNoParameterForIt) {
  const auto files = ClassFiles(Descriptor(), "registry:5000/image:1.0", {});
  ASSERT_TRUE(files.ok());
  EXPECT_THAT(FileNamed(files.value(), "connector.yaml"), HasSubstr("image: \"registry:5000/image:1.0\"\n"));
  EXPECT_THAT(FileNamed(files.value(), "connector_class.json"), Not(HasSubstr("image_tag")));
}

TEST(ClassTest, ImageThatNoRegistryCanHaveIsRefused) {
  const std::string digest = "@sha256:" + std::string(64, 'a');
  for (const std::string& image : std::vector<std::string>{
           "image", "org/image", "localhost/image", "localhost:5000/a/b__c-d.e:1.0_x", "Registry.example.com/image",
           "registry:5000/image" + digest, "registry.example.com:443/org/image:V1" + digest, "[::1]:5000/image"}) {
    EXPECT_TRUE(ClassFiles(Descriptor(), image, {}).ok()) << image;
    EXPECT_TRUE(ClassFilesForAll({Descriptor()}, image).ok()) << image;
  }
  for (const std::string& image : std::vector<std::string>{
           "", "bad image", "image ", "image\n", "image\x1b[0m", "Image", "image:", ":1.0", "a//b", "/a", "a/",
           "image:a:b", "image\"", "image@sha256:1", "image@" + digest, "https://registry.example.com/image",
           "image:" + std::string(129, 'a'), "{{ .Parameters.image }}", std::string(100'000, 'a')}) {
    const auto refused = ClassFiles(Descriptor(), image, {});
    ASSERT_FALSE(refused.ok()) << image;
    EXPECT_EQ(refused.failure().exit_code, kExitUsage);
    EXPECT_THAT(refused.failure().text, HasSubstr("is no name of an image: it is [REGISTRY[:PORT]/]NAME[:TAG]"));
    EXPECT_LT(refused.failure().text.size(), 1000u);
    EXPECT_FALSE(ClassFilesForAll({Descriptor()}, image).ok()) << image;
  }
  EXPECT_THAT(ClassFiles(Descriptor(), "bad image", {}).failure().text, HasSubstr("--image \"bad image\" is no "));
}

TEST(ClassTest, SchemaThatAllowsNoClass) {
  PluginDescriptor plugin = Descriptor();
  for (const std::string name : {"plugin", "log_level", "image_tag"}) {
    plugin.static_schema = R"({"properties": {")" + name + R"(": {}}})";
    EXPECT_THAT(ClassFiles(plugin, "image", {}).failure().text,
                HasSubstr("has a static parameter " + name + ", which every class"));
  }
  const std::string unknown = R"({"required": ["a"], "properties": {"a": {"type": "string", "pattern": "^[0-9]+$"}}})";
  plugin = Descriptor();
  plugin.static_schema = unknown;
  EXPECT_THAT(ClassFiles(plugin, "image", {}).failure().text,
              HasSubstr("of the static_schema of plugin p: no valid parameters can be made up: parameters.a"));
  plugin = Descriptor();
  plugin.config_schema = unknown;
  EXPECT_THAT(ClassFiles(plugin, "image", {}).failure().text, HasSubstr("of the config_schema of plugin p"));
  plugin = Descriptor();
  plugin.stream_schema = unknown;
  const auto stream = ClassFiles(plugin, "image", {});
  EXPECT_THAT(stream.failure().text, HasSubstr("of the stream_schema of plugin p"));
  EXPECT_EQ(stream.failure().exit_code, kExitRefused);
}

TEST(ClassTest, OneClassForAllPluginsThatCanBeUsed) {
  const TempFolder folder;
  folder.Copy(Broken("good"), "good.so");
  folder.Copy(Broken("missing_symbol"), "library.so");
  folder.Copy(std::string(KPS_PLUGINS) + "/template.so", "template.so");
  const Ran ran = RunTool({"class", "--all", "--plugin-path", folder.path(), "--dir", folder.path() / "out"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.err, AllOf(HasSubstr("left out: "), HasSubstr("library.so does not export")));
  const auto connector_class = Parsed(Content(folder.path() / "out" / "connector_class.json"));
  const auto& plugins = connector_class["staticParameterSchema"]["properties"]["plugin"]["enum"];
  ASSERT_EQ(plugins.Size(), 2u);
  EXPECT_STREQ(plugins[0].GetString(), "good");
  EXPECT_STREQ(plugins[1].GetString(), "template");
  EXPECT_STREQ(connector_class["type"].GetString(), "BIDIRECTIONAL");
  EXPECT_THAT(connector_class["yamlData"].GetString(), HasSubstr("- name: KPS_STATIC_PARAMETERS\n"));
  EXPECT_FALSE(fs::exists(folder.path() / "out" / "connector_stream_ingress.json"));
}

TEST(ClassTest, FilesThatAreThereAreReplacedOnlyWhenAsked) {
  const TempFolder folder;
  const std::string mine = folder.Write("connector_config.json", "mine");
  const Ran refused = RunTool({"class", "template", "--dir", folder.path()});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("connector_config.json is there already: --overwrite replaces it"));
  EXPECT_EQ(Content(mine), "mine");
  EXPECT_FALSE(fs::exists(folder.path() / "connector_class.json"));
  EXPECT_EQ(RunTool({"class", "template", "--overwrite", "--dir", folder.path()}).exit_code, 0);
  EXPECT_THAT(Content(mine), HasSubstr("template-config"));
}

TEST(ClassTest, WhatCannotBeDone) {
  const TempFolder folder;
  const std::string file = folder.Write("file", "");
  const std::string out = folder.path() / "out";
  fs::create_directory(folder.path() / "connector.yaml");
  const std::pair<std::vector<std::string>, const char*> wrong[] = {
      {{"class", "--dir", out}, "name one plugin, or give --all"},
      {{"class", "file", "--all", "--dir", out}, "name one plugin, or give --all"},
      {{"class", "nonesuch", "--dir", out}, "there is no plugin \"nonesuch\""},
      {{"class", "template", "--dir", file + "/below"}, "cannot make "},
      {{"class", "template", "--overwrite", "--dir", folder.path()}, "connector.yaml: Is a directory"},
  };
  for (const auto& [arguments, complaint] : wrong) {
    const Ran ran = RunTool(arguments);
    EXPECT_EQ(ran.exit_code, 1) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(complaint));
  }
  EXPECT_EQ(RunTool({"class", Broken("missing_symbol"), "--dir", out}).exit_code, 2);
  const Ran none = RunTool({"class", "--all", "--plugin-path", "/nowhere", "--dir", out});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.err, HasSubstr("no plugin can be used. No plugin was found in /nowhere."));
  EXPECT_FALSE(fs::exists(out));
}

}  // namespace
}  // namespace kps::cli
