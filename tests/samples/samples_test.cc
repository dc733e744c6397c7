// The files of samples/ are one set: what one names, another one is, and the class's own schemas take all of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <fstream>
#include <iterator>
#include <string>

#include "host/core/schema.h"

namespace kps::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string Content(const std::string& name) {
  std::ifstream file(KPS_SAMPLES + name);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

rapidjson::Document Json(const std::string& name) {
  rapidjson::Document document;
  document.Parse(Content(name).c_str());
  EXPECT_FALSE(document.HasParseError()) << name;
  return document;
}

std::string Text(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return buffer.GetString();
}

// "name: VALUE" at the left margin of a file in YAML.
std::string Yaml(const std::string& file, const std::string& key) {
  const std::string text = "\n" + Content(file);
  const std::string before = "\n" + key + ": ";
  const std::size_t at = text.find(before);
  EXPECT_NE(at, std::string::npos) << file << " has no " << key;
  return at == std::string::npos ? "" : text.substr(at + before.size(), text.find('\n', at + 1) - at - before.size());
}

class SamplesTest : public testing::Test {
 protected:
  // The class's schema `schema` takes `value` of the file `name`.
  void ExpectTaken(const char* schema, const char* name, const char* value) const {
    const auto parsed = Schema::Parse(Text(class_[schema]));
    ASSERT_TRUE(parsed.ok()) << schema << ": " << parsed.error().message();
    const auto violations = parsed.value().Check(Text(Json(name)[value]), value);
    EXPECT_THAT(violations, IsEmpty()) << name << ": " << violations.front().field << ' '
                                       << violations.front().description;
  }

  const rapidjson::Document class_ = Json("connector_class.json");
  const rapidjson::Document instance_ = Json("connector_instance.json");
  const rapidjson::Document ingress_ = Json("connector_stream_ingress.json");
  const rapidjson::Document egress_ = Json("connector_stream_egress.json");
  const rapidjson::Document config_ = Json("connector_config.json");
};

TEST_F(SamplesTest, AreWhatTheSchemasOfTheClassTake) {
  ExpectTaken("staticParameterSchema", "connector_instance.json", "staticParameters");
  ExpectTaken("configParameterSchema", "connector_config.json", "config");
  ExpectTaken("streamParameterSchema", "connector_stream_ingress.json", "stream");
  ExpectTaken("streamParameterSchema", "connector_stream_egress.json", "stream");
}

TEST_F(SamplesTest, HaveTheStaticParametersThatEveryClassHas) {
  for (const char* name : {"plugin", "log_level", "image_tag"}) {
    EXPECT_TRUE(instance_["staticParameters"].HasMember(name)) << name;
    EXPECT_THAT(Content("connector.yaml"), HasSubstr(std::string("{{ .Parameters.") + name + " }}"));
  }
  EXPECT_EQ(class_["yamlData"].GetString(), Content("connector.yaml"));
}

TEST_F(SamplesTest, NameEachOther) {
  EXPECT_EQ(instance_["connectorClassID"], class_["name"]);
  for (const rapidjson::Document* one : {&ingress_, &egress_, &config_}) {
    EXPECT_EQ((*one)["connectorInstanceID"], instance_["name"]) << Text(*one);
  }
  EXPECT_STREQ(ingress_["direction"].GetString(), "INGRESS");
  EXPECT_STREQ(egress_["direction"].GetString(), "EGRESS");
  EXPECT_TRUE(egress_["labels"].Empty());

  const std::string project = instance_["projectId"].GetString();
  EXPECT_EQ(Yaml("project.yaml", "name"), project);
  EXPECT_EQ(Yaml("function.yaml", "project"), project);
  EXPECT_EQ(Yaml("pipeline.yaml", "project"), project);
  EXPECT_EQ(Yaml("function.yaml", "sourceCodePath"), "samples/echo.py");

  const std::string pipeline = Content("pipeline.yaml");
  EXPECT_THAT(pipeline, HasSubstr("\nfunctions:\n  - name: " + Yaml("function.yaml", "name") + "\n"));
  EXPECT_THAT(pipeline, HasSubstr("\n    endpointName: " + std::string(egress_["name"].GetString()) + "\n"));
  ASSERT_EQ(ingress_["labels"].Size(), 1u);
  const std::string value = ingress_["labels"][0]["value"].GetString();
  EXPECT_EQ(Yaml("category.yaml", "name"), ingress_["labels"][0]["id"].GetString());
  EXPECT_THAT(Content("category.yaml"), HasSubstr("\nvalues:\n  - " + value + "\n"));
  EXPECT_THAT(pipeline, HasSubstr("\n    " + Yaml("category.yaml", "name") + ":\n      - " + value + "\n"));
}

// Messages that go out must not come in again.
TEST_F(SamplesTest, EgressDoesNotFeedIngress) { EXPECT_NE(ingress_["stream"]["topic"], egress_["stream"]["topic"]); }

}  // namespace
}  // namespace kps::test
