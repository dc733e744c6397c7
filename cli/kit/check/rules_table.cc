// table, schemas: what the plugin says of itself. Nothing of it is called.
#include <rapidjson/document.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "cli/json_text.h"
#include "cli/kit/check/subject.h"
#include "host/core/schema.h"
#include "host/core/schema_rules.h"
#include "host/plugin/text.h"

namespace kps::cli {
namespace {

using rapidjson::Document;
using rapidjson::Value;

constexpr std::uint32_t kKnownDirections = KPS_DIRECTIONS_INGRESS | KPS_DIRECTIONS_EGRESS;
constexpr std::uint32_t kKnownFlags = KPS_FLAG_NO_UNLOAD | KPS_FLAG_OVERLAP_SAFE;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsPluginName(std::string_view name) {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && is_lower(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_lower(c) || IsDigit(c) || c == '-'; });
}

// MAJOR.MINOR.PATCH, and what semantic versioning allows after it.
bool IsVersion(std::string_view version) {
  for (int part = 0; part < 3; ++part) {
    const auto digits = std::find_if_not(version.begin(), version.end(), IsDigit) - version.begin();
    if (digits == 0) return false;
    version.remove_prefix(static_cast<std::size_t>(digits));
    if (part == 2) break;
    if (version.empty() || version.front() != '.') return false;
    version.remove_prefix(1);
  }
  return version.empty() || version.front() == '-' || version.front() == '+';
}

// What is wrong in the schema of one parameter, and in those of what it holds.
void ExamineParameter(const Value& schema, const std::string& place, Findings* findings) {
  const Value* const description = MemberOf(schema, "description");
  if (description == nullptr || !description->IsString() || description->GetStringLength() == 0) {
    findings->Fail(place + " has no \"description\"");
  }
  // What a part of the schema refers to stands in the whole of it.
  const std::string text = JsonText(schema);
  const auto checked = text.find("\"$ref\"") == std::string::npos ? Schema::Parse(text) : Schema::Parse("");
  const auto expect_valid = [&](const Value& value, const std::string& what) {
    if (!checked.ok()) return;
    // A schema is checked against whole documents, so a value that is none is put into one.
    const auto wrapped = Schema::Parse(R"({"type":"object","properties":{"value":)" + text + "}}");
    if (!wrapped.ok()) return;
    const auto violations = wrapped.value().Check("{\"value\":" + JsonText(value) + "}", what);
    if (!violations.empty()) findings->Fail(place + ": " + what + " is not valid: " + violations.front().description);
  };
  if (const Value* value = MemberOf(schema, "default")) expect_valid(*value, "its \"default\"");
  if (const Value* values = MemberOf(schema, "examples"); values != nullptr && values->IsArray()) {
    for (const Value& value : values->GetArray()) expect_valid(value, "one of its \"examples\"");
  }
}

void ExamineProperties(const Value& schema, const std::string& place, Findings* findings) {
  const Value* const properties = MemberOf(schema, "properties");
  if (properties != nullptr) {
    for (const auto& property : properties->GetObject()) {
      const std::string below = place + "/properties/" + std::string(TextOf(property.name));
      ExamineParameter(property.value, below, findings);
      ExamineProperties(property.value, below, findings);
    }
  }
  const Value* const items = MemberOf(schema, "items");
  if (items != nullptr && items->IsObject()) ExamineProperties(*items, place + "/items", findings);
}

void ExamineSchema(const char* name, kps_str text, Findings* findings) {
  const std::string_view schema = View(text);
  if (schema.empty()) return findings->Note(std::string(name) + " is empty: every object is valid");
  if (const auto parsed = Schema::Parse(schema); !parsed.ok()) {
    return findings->Fail(std::string(name) + ": " + parsed.error().message());
  }
  Document document;
  document.Parse(schema.data(), schema.size());
  ExamineProperties(document, name, findings);
}

}  // namespace

void ExamineTable(Subject& subject) {
  const kps_plugin& table = subject.table();
  Findings& findings = subject.findings();
  const std::string name = CopyText(table.name);
  const std::string file = std::filesystem::path(subject.parameters().file).filename().string();
  if (!IsPluginName(name)) findings.Fail("the name \"" + name + "\" is not [a-z][a-z0-9-]*");
  if (file != name + ".so") findings.Fail("the name is \"" + name + "\", so the file is " + name + ".so, not " + file);
  if (!IsVersion(View(table.version))) {
    findings.Fail("the version \"" + CopyText(table.version) + "\" is not MAJOR.MINOR.PATCH");
  }
  if (View(table.description).empty()) findings.Fail("it has no description");
  for (const kps_str text : {table.name, table.version, table.description}) {
    if (CopyText(text) != View(text)) findings.Fail("\"" + CopyText(text) + "\" is no UTF-8");
  }
  if ((table.directions & ~kKnownDirections) != 0) {
    findings.Fail("directions has bits that mean nothing: " + std::to_string(table.directions));
  }
  if ((table.flags & ~kKnownFlags) != 0) {
    findings.Fail("flags has bits that mean nothing: " + std::to_string(table.flags));
  }
  if (table.struct_size < sizeof(kps_plugin)) {
    findings.Note("it was built with older headers: its table has " + std::to_string(table.struct_size) + " bytes of " +
                  std::to_string(sizeof(kps_plugin)));
  }
}

void ExamineSchemas(Subject& subject) {
  ExamineSchema("static_schema", subject.table().static_schema, &subject.findings());
  ExamineSchema("config_schema", subject.table().config_schema, &subject.findings());
  ExamineSchema("stream_schema", subject.table().stream_schema, &subject.findings());
}

}  // namespace kps::cli
