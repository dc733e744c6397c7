#include "cli/kit/class/class_files.h"

#include <kps/version.h>
#include <rapidjson/document.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <algorithm>

#include "cli/kit/class/class_yaml.h"
#include "cli/kit/class/image_reference.h"
#include "cli/kit/schema_sample.h"
#include "host/core/host_config.h"
#include "host/core/schema.h"
#include "host/core/schema_rules.h"
#include "host/core/static_parameters.h"

namespace kps::cli {
namespace {

using rapidjson::Document;
using rapidjson::Value;

constexpr char kDomainVersionMin[] = "2.3.0";
constexpr char kPluginParameter[] = "plugin";
constexpr char kTagParameter[] = "image_tag";
constexpr char kLevelParameter[] = "log_level";
constexpr char kAllParameters[] = "static_parameters";

std::string HostVersion() {
  return std::to_string(KPS_VERSION_MAJOR) + "." + std::to_string(KPS_VERSION_MINOR) + "." +
         std::to_string(KPS_VERSION_PATCH);
}

// The value of a document whose allocator goes on.
Value Taken(Document* document) {
  Value value;
  value.Swap(*document);
  return value;
}

// An object that is built member by member, in order.
class JsonFile {
 public:
  JsonFile() { document_.SetObject(); }

  JsonFile& Text(const char* key, const std::string& text) { return Member(key, TextValue(text)); }
  JsonFile& EmptyList(const char* key) { return Member(key, Value(rapidjson::kArrayType)); }
  JsonFile& Json(const char* key, const std::string& json) {
    Document value(&document_.GetAllocator());
    value.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag>(json.c_str());
    return Member(key, Taken(&value));
  }
  std::string Take() const {
    rapidjson::StringBuffer buffer;
    rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
    writer.SetIndent(' ', 2);
    document_.Accept(writer);
    return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
  }

 private:
  Value TextValue(const std::string& text) {
    return Value(text.data(), static_cast<rapidjson::SizeType>(text.size()), document_.GetAllocator());
  }
  JsonFile& Member(const char* key, Value value) {
    document_.AddMember(Value(key, document_.GetAllocator()), value, document_.GetAllocator());
    return *this;
  }

  Document document_;
};

std::string CompactText(const Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

// A schema of the plugin, of which the class has a copy to which parameters are added.
class SchemaCopy {
 public:
  explicit SchemaCopy(const std::string& schema) {
    document_.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag>(
        schema.empty() ? "{}" : schema.c_str());
    if (!document_.HasMember("type")) Add(&document_, "type", Value("object"));
    if (!document_.HasMember("properties")) Add(&document_, "properties", Value(rapidjson::kObjectType));
  }

  bool Has(const char* name) const { return document_["properties"].HasMember(name); }

  std::vector<StaticParameter> Parameters() const {
    std::vector<StaticParameter> parameters;
    const Value* required = MemberOf(document_, "required");
    for (const auto& member : document_["properties"].GetObject()) {
      const bool is_required =
          required != nullptr && std::find(required->Begin(), required->End(), member.name) != required->End();
      parameters.push_back({std::string(TextOf(member.name)), is_required});
    }
    return parameters;
  }

  // `schema`: the parameter's own, as JSON.
  void AddOptional(const char* name, const std::string& schema) {
    Document value(&document_.GetAllocator());
    value.Parse(schema.c_str());
    Add(&document_["properties"], name, Taken(&value));
  }
  void AddRequired(const char* name, const std::string& schema) {
    AddOptional(name, schema);
    if (!document_.HasMember("required")) Add(&document_, "required", Value(rapidjson::kArrayType));
    document_["required"].PushBack(Value(name, document_.GetAllocator()), document_.GetAllocator());
  }

  std::string Json() const { return CompactText(document_); }

 private:
  void Add(Value* object, const char* key, Value value) {
    object->AddMember(Value(key, document_.GetAllocator()), value, document_.GetAllocator());
  }

  Document document_;
};

std::string LevelSchema(const std::string& description) {
  return R"({"type":"string","enum":["DEBUG","INFO","WARN","ERROR"],"default":"INFO","description":")" + description +
         "\"}";
}

// The host's own key of the config, which the plugin need not know.
SchemaCopy ConfigSchema(const std::string& schema) {
  SchemaCopy copy(schema);
  if (!copy.Has(kLogLevelKey)) {
    copy.AddOptional(kLogLevelKey, LevelSchema("From which level on the host writes its log"));
  }
  return copy;
}

// The parameters that every class has: which plugin, its log, and the tag where the image has none.
void AddOwnParameters(const std::string& plugins_json, const std::string& first, const std::string& image,
                      SchemaCopy* schema) {
  schema->AddRequired(kPluginParameter, R"({"type":"string","enum":)" + plugins_json + R"(,"default":")" + first +
                                            R"(","description":"The plugin that the host runs"})");
  schema->AddRequired(kLevelParameter, LevelSchema("From which level on the host writes its log, until a config says"));
  if (HasTag(image)) return;
  schema->AddRequired(kTagParameter, R"({"type":"string","minLength":1,"default":")" + HostVersion() +
                                         R"(","description":"The tag of the image"})");
}

std::string ImageReference(const std::string& image) {
  return HasTag(image) ? image : image + ":{{ .Parameters.image_tag }}";
}

const char* TypeOf(bool ingress, bool egress) {
  if (ingress && egress) return "BIDIRECTIONAL";
  return ingress ? "INGRESS" : "EGRESS";
}

std::string ClassJson(const std::string& name, const std::string& description, const std::string& version,
                      const char* type, const SchemaCopy& static_schema, const SchemaCopy& config_schema,
                      const SchemaCopy& stream_schema, const std::string& yaml) {
  return JsonFile()
      .Text("name", name)
      .Text("description", description)
      .Text("connectorVersion", version)
      .Text("minSvcDomainVersion", kDomainVersionMin)
      .Text("type", type)
      .Json("staticParameterSchema", static_schema.Json())
      .Json("configParameterSchema", config_schema.Json())
      .Json("streamParameterSchema", stream_schema.Json())
      .Text("yamlData", yaml)
      .Take();
}

std::string InstanceJson(const std::string& name, const std::string& class_name, const std::string& parameters) {
  return JsonFile()
      .Text("name", name + "-instance")
      .Text("connectorClassID", class_name)
      .Text("projectId", name + "-project")
      .Json("staticParameters", parameters)
      .Take();
}

std::string StreamJson(const std::string& plugin, Direction direction, const std::string& metadata) {
  const bool ingress = direction == Direction::kIngress;
  JsonFile file;
  file.Text("name", plugin + (ingress ? "-ingress" : "-egress"))
      .Text("description",
            ingress ? "From the data service to the pipelines" : "From the pipelines to the data service")
      .Text("connectorInstanceID", plugin + "-instance")
      .Text("direction", DirectionName(direction));
  if (ingress) {
    file.Json("labels", R"([{"id":"Data Type","value":")" + plugin + "\"}]");
  } else {
    file.EmptyList("labels");
  }
  return file.EmptyList("serviceDomainIds").Json("stream", metadata).Take();
}

std::string ConfigJson(const std::string& plugin, const std::string& config) {
  return JsonFile()
      .Text("name", plugin + "-config")
      .Text("description", "Dynamic config: merged key by key, while the streams run")
      .Text("connectorInstanceID", plugin + "-instance")
      .EmptyList("serviceDomainIds")
      .Json("config", config)
      .Take();
}

Failure NoSample(const PluginDescriptor& plugin, const char* what, const Failure& failure) {
  return {kExitRefused,
          "no sample can be made of the " + std::string(what) + " of plugin " + plugin.name + ": " + failure.text};
}

// A sample of `schema`, with `pairs` (KEY=VALUE, of `option`) in it.
Result<std::string> SampleWith(const PluginDescriptor& plugin, const char* what, const std::string& schema,
                               Direction direction, const std::vector<std::string>& pairs, const char* option) {
  const auto sample = SampleOf(schema, SampleParameters::kShown, direction);
  if (!sample.ok()) return NoSample(plugin, what, sample.failure());
  auto merged = MergeParameters(sample.value(), "", pairs, option);
  if (!merged.ok()) return Failure{kExitUsage, merged.error().message()};
  const auto parsed = Schema::Parse(schema);  // of which there is a sample
  const auto violations = parsed.value().Check(merged.value(), option);
  if (violations.empty()) return std::move(merged.value());
  return Failure{kExitUsage, violations.front().field + ' ' + violations.front().description};
}

Result<std::string> StreamSample(const PluginDescriptor& plugin, Direction direction, const SampleValues& values) {
  std::vector<std::string> pairs = values.streams;
  for (const std::string& pair : direction == Direction::kIngress ? values.ingress : values.egress)
    pairs.push_back(pair);
  return SampleWith(plugin, "stream_schema", plugin.stream_schema, direction, pairs, "--metadata");
}

std::string NamesJson(const std::vector<PluginDescriptor>& plugins) {
  std::string json;
  for (const PluginDescriptor& plugin : plugins) json += (json.empty() ? "[\"" : ",\"") + plugin.name + "\"";
  return json + "]";
}

}  // namespace

Result<std::vector<GeneratedFile>> ClassFiles(const PluginDescriptor& plugin, const std::string& image,
                                              const SampleValues& values) {
  if (auto failure = CheckImage(image)) return *failure;
  SchemaCopy static_schema(plugin.static_schema);
  for (const char* name : {kPluginParameter, kLevelParameter, kTagParameter}) {
    if (static_schema.Has(name)) {
      return Failure{kExitRefused, "plugin " + plugin.name + " has a static parameter " + name +
                                       ", which every class has for itself: give it another name"};
    }
  }
  const std::string class_name = plugin.name + "-connector";
  const YamlOptions yaml_options{class_name, ImageReference(image), static_schema.Parameters()};
  AddOwnParameters("[\"" + plugin.name + "\"]", plugin.name, image, &static_schema);
  const auto parameters = SampleWith(plugin, "static_schema", static_schema.Json(), Direction::kUnspecified,
                                     values.instance, "--static-param");
  if (!parameters.ok()) return parameters.failure();
  const SchemaCopy config_schema = ConfigSchema(plugin.config_schema);
  const auto config = SampleOf(config_schema.Json());
  if (!config.ok()) return NoSample(plugin, "config_schema", config.failure());

  const std::string yaml = ConnectorYaml(yaml_options);
  std::vector<GeneratedFile> files{
      {"connector_class.json",
       ClassJson(class_name, plugin.description, plugin.version, TypeOf(plugin.ingress, plugin.egress), static_schema,
                 config_schema, SchemaCopy(plugin.stream_schema), yaml)},
      {"connector_instance.json", InstanceJson(plugin.name, class_name, parameters.value())},
      {"connector_config.json", ConfigJson(plugin.name, config.value())},
      {"connector.yaml", yaml}};
  for (const Direction direction : {Direction::kIngress, Direction::kEgress}) {
    const bool ingress = direction == Direction::kIngress;
    if (ingress ? !plugin.ingress : !plugin.egress) continue;
    const auto sample = StreamSample(plugin, direction, values);
    if (!sample.ok()) return sample.failure();
    files.push_back({ingress ? "connector_stream_ingress.json" : "connector_stream_egress.json",
                     StreamJson(plugin.name, direction, sample.value())});
  }
  return files;
}

Result<std::vector<GeneratedFile>> ClassFilesForAll(const std::vector<PluginDescriptor>& plugins,
                                                    const std::string& image) {
  if (auto failure = CheckImage(image)) return *failure;
  const std::string name = "kps-connector";
  const auto any = [&](bool PluginDescriptor::*member) {
    return std::any_of(plugins.begin(), plugins.end(), [&](const auto& plugin) { return plugin.*member; });
  };
  SchemaCopy static_schema("");
  AddOwnParameters(NamesJson(plugins), plugins.front().name, image, &static_schema);
  static_schema.AddRequired(kAllParameters,
                            R"({"type":"string","default":"{}",)"
                            R"("description":"The plugin's own static parameters, a JSON object as text"})");
  const auto parameters = SampleOf(static_schema.Json());
  if (!parameters.ok()) return NoSample(plugins.front(), "static parameters", parameters.failure());
  // What the chosen plugin takes is known to the host alone, which checks it.
  const std::string yaml =
      ConnectorYaml({.name = name, .image = ImageReference(image), .parameters = {}, .parameters_as_one = true});
  return std::vector<GeneratedFile>{
      {"connector_class.json", ClassJson(name, "Every plugin of one image; an instance chooses one", HostVersion(),
                                         TypeOf(any(&PluginDescriptor::ingress), any(&PluginDescriptor::egress)),
                                         static_schema, ConfigSchema(""), SchemaCopy(""), yaml)},
      {"connector_instance.json", InstanceJson(name, name, parameters.value())},
      {"connector.yaml", yaml}};
}

}  // namespace kps::cli
