// What the examination of a rule finds, told to the parent at once: a plugin may end the process at any time.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "cli/kit/check/rule.h"
#include "host/core/mutex.h"
#include "host/plugin/parent_process.h"

namespace kps::cli {

// Any thread.
class Findings {
 public:
  explicit Findings(const ParentProcess* parent) : parent_(parent) {}
  Findings(const Findings&) = delete;
  Findings& operator=(const Findings&) = delete;

  // The rule is broken. Sentences begin with a lower-case letter and have no full stop. Each is told once, and no more
  // than a few of them.
  void Fail(const std::string& sentence);
  // It cannot be examined.
  void Skip(const std::string& sentence);
  void Note(const std::string& sentence);
  // Another rule is broken.
  void FailBeside(std::string_view rule, const std::string& sentence);
  void Has(Need need);
  // It cannot be had: the plugin refuses the parameters that were made up.
  void Refused(Need need);
  // The function that is called; empty: none.
  void SetAt(std::string_view function);
  void Done();

 private:
  void Tell(std::int32_t frame, const std::string& text);

  const ParentProcess* const parent_;
  Mutex mutex_;
  std::set<std::string> told_ KPS_GUARDED_BY(mutex_);
  std::map<std::int32_t, int> failures_ KPS_GUARDED_BY(mutex_);  // by frame
};

}  // namespace kps::cli
