#include "cli/kit/inspect/report_json.h"

#include <rapidjson/document.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include "cli/kit/inspect/report_text.h"

namespace kps::cli {
namespace {

class Writer {
 public:
  Writer() : writer_(buffer_) { writer_.SetIndent(' ', 2); }

  void Report(const PluginReport& report) {
    writer_.StartObject();
    Member("file", report.file);
    Key("usable").Bool(report.problems.empty());
    List("problems", report.problems);
    Key("descriptor");
    if (report.descriptor) {
      Descriptor(*report.descriptor);
    } else {
      writer_.Null();
    }
    Key("elf");
    Elf(report);
    writer_.EndObject();
  }

  void List(const std::vector<SearchedDirectory>& directories, const std::vector<PluginReport>& reports) {
    writer_.StartObject();
    Key("searchPath").StartArray();
    for (const SearchedDirectory& directory : directories) {
      writer_.StartObject();
      Member("directory", directory.path);
      Key("exists").Bool(directory.exists);
      writer_.EndObject();
    }
    writer_.EndArray();
    Key("plugins").StartArray();
    for (const PluginReport& report : reports) Report(report);
    writer_.EndArray();
    writer_.EndObject();
  }

  std::string Take() const { return std::string(buffer_.GetString(), buffer_.GetSize()) + "\n"; }

 private:
  using Json = rapidjson::PrettyWriter<rapidjson::StringBuffer>;

  Json& Key(const char* key) {
    writer_.Key(key);
    return writer_;
  }
  void Text(const std::string& text) { writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size())); }
  void Member(const char* key, const std::string& text) {
    Key(key);
    Text(text);
  }
  void List(const char* key, const std::vector<std::string>& texts) {
    Key(key).StartArray();
    for (const std::string& text : texts) Text(text);
    writer_.EndArray();
  }

  void Descriptor(const PluginDescriptor& descriptor) {
    writer_.StartObject();
    Member("name", descriptor.name);
    Member("version", descriptor.version);
    Member("description", descriptor.description);
    std::vector<std::string> directions;
    if (descriptor.ingress) directions.emplace_back("INGRESS");
    if (descriptor.egress) directions.emplace_back("EGRESS");
    List("directions", directions);
    List("functions", descriptor.functions);
    List("flags", FlagNames(descriptor));
    Key("abiVersion").Uint(descriptor.abi_version);
    Schema("staticSchema", descriptor.static_schema);
    Schema("configSchema", descriptor.config_schema);
    Schema("streamSchema", descriptor.stream_schema);
    writer_.EndObject();
  }

  // As the object that it is; one that is no JSON as the text that it is; null: there is none.
  void Schema(const char* key, const std::string& text) {
    Key(key);
    rapidjson::Document document;
    if (text.empty()) {
      writer_.Null();
    } else if (document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag>(text.c_str())
                   .HasParseError()) {
      Text(text);
    } else {
      document.Accept(writer_);
    }
  }

  void Elf(const PluginReport& report) {
    const ElfFacts& facts = report.elf;
    writer_.StartObject();
    Member("architecture", facts.machine);
    Member("buildId", facts.build_id);
    Member("sha256", facts.sha256);
    Member("runpath", facts.runpath);
    List("needed", facts.needed);
    Key("libraries").StartArray();
    for (const NeededLibrary& library : report.libraries) {
      writer_.StartObject();
      Member("name", library.name);
      Member("path", library.path);
      writer_.EndObject();
    }
    writer_.EndArray();
    List("missing", MissingLibraries(report.libraries));
    Key("exportsEntry").Bool(facts.exports_entry);
    Key("staticTls").Bool(facts.static_tls);
    Key("threadExitHooks").Bool(facts.thread_exit_hooks);
    std::vector<std::string> reasons = WhyNotUnloadable(facts);
    if (report.descriptor && report.descriptor->no_unload) reasons.emplace_back("KPS_FLAG_NO_UNLOAD");
    Key("unloadable").Bool(reasons.empty());
    List("notUnloadableReasons", reasons);
    writer_.EndObject();
  }

  rapidjson::StringBuffer buffer_;
  Json writer_;
};

}  // namespace

std::string ReportJson(const PluginReport& report) {
  Writer writer;
  writer.Report(report);
  return writer.Take();
}

std::string ListJson(const std::vector<SearchedDirectory>& directories, const std::vector<PluginReport>& reports) {
  Writer writer;
  writer.List(directories, reports);
  return writer.Take();
}

}  // namespace kps::cli
