#include "cli/kit/check/examination.h"

#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <utility>

#include "cli/kit/check/wire.h"
#include "host/plugin/child_process.h"
#include "host/plugin/packed_texts.h"

namespace kps::cli {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// An empty directory for files of plugins that are given odd names.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::error_code error;
    parent_ = std::filesystem::temp_directory_path(error).string();  // of $TMPDIR, where it is one
    if (error) return;
    std::string name = parent_ + "/kps-check.XXXXXX";
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }  // empty: it cannot be made
  const std::string& parent() const { return parent_; }

 private:
  std::string parent_;
  std::string path_;
};

// What one child tells.
struct Told {
  bool done = false;
  std::string at;
  std::vector<std::string> failed;
  std::vector<std::string> skipped;
  std::vector<std::string> notes;
  std::vector<std::pair<std::string, std::string>> beside;  // rule, sentence
  std::uint32_t has = 0;
  std::uint32_t refused = 0;

  void Take(ChildFrame frame) {
    switch (frame.code) {
      case kFrameDone: done = true; break;
      case kFrameAt: at = std::move(frame.text); break;
      case kFrameFailed: failed.push_back(std::move(frame.text)); break;
      case kFrameSkipped: skipped.push_back(std::move(frame.text)); break;
      case kFrameNote: notes.push_back(std::move(frame.text)); break;
      case kFrameHas: has |= static_cast<std::uint32_t>(std::strtoul(frame.text.c_str(), nullptr, 10)); break;
      case kFrameRefused: refused |= static_cast<std::uint32_t>(std::strtoul(frame.text.c_str(), nullptr, 10)); break;
      case kFrameBeside:
        if (auto texts = UnpackTexts(frame.text, 2)) beside.emplace_back((*texts)[0], (*texts)[1]);
        break;
      default: break;
    }
  }
};

// How the child came to no end of its own.
std::string Unfinished(const Told& told, const ChildEnd& end, milliseconds timeout) {
  const std::string in = told.at.empty() ? "between two calls of it" : "in " + told.at;
  std::string text;
  if (end.how == ChildEnd::How::kTimeout) {
    text = "it did not come back within " + std::to_string(timeout.count() / 1000) + " s: " + in;
  } else {
    text = "the process " + Describe(end) + " " + in;
  }
  if (!end.last_line.empty()) text += "; its last line was: " + end.last_line;
  return text;
}

std::string Missing(std::uint32_t missing, std::uint32_t refused) {
  const std::string made_up = ": the plugin refuses the parameters that were made up; give ";
  if ((missing & refused & kNeedsConnector) != 0) {
    return "no connector could be made" + made_up + "--static-param and --config";
  }
  if ((missing & refused & kNeedsConsumer) != 0) return "no consumer can be had" + made_up + "--stream";
  if ((missing & refused & kNeedsProducer) != 0) return "no producer can be had" + made_up + "--stream";
  if ((missing & kNeedsConnector) != 0) return "no connector could be made: see create";
  if ((missing & kNeedsMessages) != 0) return "no message came from a consumer: see create";
  return std::string("no ") + ((missing & kNeedsConsumer) != 0 ? "consumer" : "producer") +
         " can be had: see create, and the directions of the plugin";
}

class Examination {
 public:
  Examination(const CheckParameters& parameters, const ExaminationOptions& options, std::string directory)
      : parameters_(parameters), options_(options), directory_(std::move(directory)) {}

  Result<RuleResult> Run(const Rule& rule, const std::stop_token& stop) {
    RuleResult result;
    result.rule = &rule;
    const auto begun = Clock::now();
    if (const std::uint32_t missing = rule.needs & ~has_; missing != 0) {
      result.outcome = RuleResult::Outcome::kNotExamined;
      result.sentences = {Missing(missing, refused_)};
      return result;
    }
    const std::string directory = directory_ + "/" + rule.id;
    std::error_code ignored;
    std::filesystem::create_directory(directory, ignored);  // the child says where it cannot go
    const ChildCommand command{
        options_.program, kCheckArgument,
        PackTexts({rule.id, directory, parameters_.file, parameters_.static_json, parameters_.config_json,
                   parameters_.ingress_json, parameters_.egress_json, std::to_string(parameters_.made_up)})};
    Told told;
    const auto end =
        RunChild(command, options_.rule_timeout, stop, [&](ChildFrame frame) { told.Take(std::move(frame)); });
    if (!end.ok()) return Failure{kExitUsage, "cannot examine " + parameters_.file + ": " + end.error().message()};
    if (end.value().how == ChildEnd::How::kStopped) return Failure{kExitUsage, "stopped"};
    result.finished = told.done;
    if (!told.done) told.failed.push_back(Unfinished(told, end.value(), options_.rule_timeout));
    for (auto& [other, sentence] : told.beside) beside_[other].push_back(std::move(sentence));
    has_ |= told.has;
    refused_ |= told.refused;
    result.took = std::chrono::duration_cast<milliseconds>(Clock::now() - begun);
    result.notes = std::move(told.notes);
    if (!told.failed.empty()) {
      result.outcome = RuleResult::Outcome::kBroken;
      result.sentences = std::move(told.failed);
    } else if (!told.skipped.empty()) {
      result.outcome = RuleResult::Outcome::kNotExamined;
      result.sentences = std::move(told.skipped);
    }
    return result;
  }

  // What was told of rules beside those that were examined.
  void AddBeside(RuleResult* result) {
    auto& sentences = beside_[result->rule->id];
    std::sort(sentences.begin(), sentences.end());
    sentences.erase(std::unique(sentences.begin(), sentences.end()), sentences.end());
    if (sentences.empty()) return;
    if (result->outcome != RuleResult::Outcome::kBroken) result->sentences.clear();
    result->outcome = RuleResult::Outcome::kBroken;
    result->sentences.insert(result->sentences.end(), sentences.begin(), sentences.end());
  }

 private:
  const CheckParameters& parameters_;
  const ExaminationOptions& options_;
  const std::string directory_;
  std::uint32_t has_ = 0;
  std::uint32_t refused_ = 0;
  std::map<std::string, std::vector<std::string>> beside_;
};

bool IsWanted(const Rule& rule, const std::vector<std::string>& rules) {
  return rules.empty() || std::find(rules.begin(), rules.end(), rule.id) != rules.end();
}

}  // namespace

Result<std::vector<RuleResult>> ExaminePlugin(const CheckParameters& parameters, const ExaminationOptions& options,
                                              const std::stop_token& stop) {
  const TemporaryDirectory directory;
  if (directory.path().empty()) {
    return Failure{kExitUsage, "cannot make a directory for temporary files in " + directory.parent() + ": " +
                                   std::strerror(errno) + "; TMPDIR names another place"};
  }
  Examination examination(parameters, options, directory.path());
  // What may be broken anywhere is looked for everywhere.
  const auto& ids = options.rules;
  const bool everywhere = std::any_of(ids.begin(), ids.end(), [](const std::string& id) {
    const Rule* const rule = FindRule(id);
    return rule != nullptr && rule->examine == nullptr;
  });
  // What others need is found out by `create`.
  const bool needed = std::any_of(AllRules().begin(), AllRules().end(),
                                  [&](const Rule& rule) { return rule.needs != 0 && IsWanted(rule, ids); });
  std::vector<RuleResult> results;
  for (const Rule& rule : AllRules()) {
    const bool wanted = IsWanted(rule, ids);
    const bool creates = needed && std::string_view(rule.id) == "create";
    RuleResult result;
    result.rule = &rule;
    if (rule.examine != nullptr) {
      if (!wanted && !creates && !everywhere) continue;
      auto examined = examination.Run(rule, stop);
      if (!examined.ok()) return examined.failure();
      result = std::move(examined.value());
    }
    // The others refer to it.
    if (wanted || (creates && result.outcome == RuleResult::Outcome::kBroken)) results.push_back(std::move(result));
  }
  for (RuleResult& result : results) examination.AddBeside(&result);
  return results;
}

}  // namespace kps::cli
