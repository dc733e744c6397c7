// All rules, one after the other, each in a child process.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/kit/check/rule.h"
#include "cli/kit/check/subject.h"
#include "cli/result.h"

namespace kps::cli {

struct RuleResult {
  enum class Outcome { kKept, kBroken, kNotExamined };

  const Rule* rule = nullptr;
  Outcome outcome = Outcome::kKept;
  std::vector<std::string> sentences;  // how it is broken, or why it was not examined
  std::vector<std::string> notes;
  std::chrono::milliseconds took{0};
  bool finished = true;  // false: the process ended, or was ended, in the middle
};

struct ExaminationOptions {
  std::string program = "/proc/self/exe";  // that is run with kCheckArgument
  std::chrono::milliseconds rule_timeout{60'000};
  std::vector<std::string> rules = {};  // ids; empty: all. `create` comes first in any case where others need it
};

// In the order of the rules; `create` also where it is not asked for, if one that is asked for needs it and it is
// broken. The failure: the children cannot be run, or `stop` came.
Result<std::vector<RuleResult>> ExaminePlugin(const CheckParameters& parameters, const ExaminationOptions& options,
                                              const std::stop_token& stop);

}  // namespace kps::cli
