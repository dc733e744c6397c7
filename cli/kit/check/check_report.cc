#include "cli/kit/check/check_report.h"

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "cli/render.h"

namespace kps::cli {
namespace {

using Outcome = RuleResult::Outcome;

constexpr std::size_t kIdWidth = 17;

const char* Word(Outcome outcome) {
  switch (outcome) {
    case Outcome::kKept: return "kept";
    case Outcome::kBroken: return "BROKEN";
    case Outcome::kNotExamined: return "-";
  }
  return "";
}

const char* JsonWord(Outcome outcome) {
  switch (outcome) {
    case Outcome::kKept: return "kept";
    case Outcome::kBroken: return "broken";
    case Outcome::kNotExamined: return "notExamined";
  }
  return "";
}

std::size_t Count(const CheckReport& report, Outcome outcome) {
  return static_cast<std::size_t>(std::count_if(report.results.begin(), report.results.end(),
                                                [&](const RuleResult& result) { return result.outcome == outcome; }));
}

std::string Padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

std::string Seconds(std::chrono::milliseconds duration) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", static_cast<double>(duration.count()) / 1000);
  return text;
}

// Text of XML. What it cannot hold becomes '?'.
std::string Xml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      default: escaped += static_cast<unsigned char>(c) < ' ' && c != '\n' ? '?' : c;
    }
  }
  return escaped;
}

std::string Joined(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += (text.empty() ? "" : "\n") + sentence;
  return text;
}

std::string Advice(const RuleResult& result) {
  if (result.finished) return result.rule->advice;
  return "look at what it does there, with a debugger or -fsanitize=address; a plugin ends no process, and returns";
}

std::string Title(const CheckReport& report) {
  return report.name.empty() ? report.file : report.name + " " + report.version + ", " + report.file;
}

}  // namespace

bool CheckReport::broken() const { return Count(*this, Outcome::kBroken) > 0; }

std::string CheckText(const CheckReport& report) {
  std::string text = Printable(Title(report)) + "\n";
  const std::string below(2 + 8, ' ');
  for (const RuleResult& result : report.results) {
    text += "  " + Padded(Word(result.outcome), 8) + Padded(result.rule->id, kIdWidth);
    if (result.outcome == Outcome::kNotExamined) {
      text += "not examined: ";
      for (const std::string& sentence : result.sentences) {
        text += (&sentence == &result.sentences.front() ? "" : below) + Printable(sentence) + "\n";
      }
      continue;
    }
    text += std::string(result.rule->promise) + "\n";
    for (const std::string& note : result.notes) text += below + "(" + Printable(note) + ")\n";
    if (result.outcome == Outcome::kKept) continue;
    for (const std::string& sentence : result.sentences) text += below + "! " + Printable(sentence) + "\n";
    text += below + "> " + Advice(result) + "\n";
  }
  return text + "\n" + std::to_string(Count(report, Outcome::kKept)) + " rules kept, " +
         std::to_string(Count(report, Outcome::kBroken)) + " broken, " +
         std::to_string(Count(report, Outcome::kNotExamined)) + " not examined\n";
}

std::string CheckJson(const CheckReport& report) {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 2);
  const auto text = [&](const char* key, const std::string& value) {
    writer.Key(key);
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  const auto texts = [&](const char* key, const std::vector<std::string>& values) {
    writer.Key(key);
    writer.StartArray();
    for (const std::string& value : values) writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
    writer.EndArray();
  };
  writer.StartObject();
  text("file", report.file);
  text("name", report.name);
  text("version", report.version);
  writer.Key("conforms");
  writer.Bool(!report.broken());
  writer.Key("rules");
  writer.StartArray();
  for (const RuleResult& result : report.results) {
    writer.StartObject();
    text("id", result.rule->id);
    text("promise", result.rule->promise);
    text("outcome", JsonWord(result.outcome));
    texts("sentences", result.sentences);
    texts("notes", result.notes);
    if (result.outcome == Outcome::kBroken) text("advice", Advice(result));
    writer.Key("seconds");
    writer.Double(static_cast<double>(result.took.count()) / 1000);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

std::string CheckJunit(const CheckReport& report) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"" + Xml(Title(report)) +
                     "\" tests=\"" + std::to_string(report.results.size()) + "\" failures=\"" +
                     std::to_string(Count(report, Outcome::kBroken)) + "\" skipped=\"" +
                     std::to_string(Count(report, Outcome::kNotExamined)) + "\">\n";
  for (const RuleResult& result : report.results) {
    text += "  <testcase classname=\"" + Xml(report.name.empty() ? "plugin" : report.name) + "\" name=\"" +
            Xml(result.rule->id) + "\" time=\"" + Seconds(result.took) + "\">";
    const std::string sentences = Xml(Joined(result.sentences));
    if (result.outcome == Outcome::kBroken) {
      text += "<failure message=\"" + Xml(result.rule->promise) + "\">" + sentences + "\n" + Xml(Advice(result)) +
              "</failure>";
    } else if (result.outcome == Outcome::kNotExamined) {
      text += "<skipped message=\"" + sentences + "\"/>";
    }
    text += "</testcase>\n";
  }
  return text + "</testsuite>\n";
}

}  // namespace kps::cli
