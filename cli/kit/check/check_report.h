// The results of an examination, for a person, for a program, and for a CI server.
#pragma once

#include <string>
#include <vector>

#include "cli/kit/check/examination.h"

namespace kps::cli {

struct CheckReport {
  std::string file;
  std::string name;     // of the plugin; empty: it could not be loaded
  std::string version;  // likewise
  CheckParameters parameters;
  std::vector<RuleResult> results;

  bool broken() const;  // one of the rules, at least
};

// Lines: each rule, and below those that are broken what was found and what to do.
std::string CheckText(const CheckReport& report);
// Keys are a promise: add, never rename.
std::string CheckJson(const CheckReport& report);
// JUnit's XML, a test case for each rule.
std::string CheckJunit(const CheckReport& report);

}  // namespace kps::cli
