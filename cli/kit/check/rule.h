// The rules of the plugin ABI that `plugin check` examines, one after the other, each in a process of its own.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace kps::cli {

class Subject;

// What has to be there for a rule to be examined. The rule `create` finds out.
enum Need : std::uint32_t {
  kNeedsConnector = 1,
  kNeedsConsumer = 2,
  kNeedsMessages = 4,  // that come from a consumer
  kNeedsProducer = 8,
};

struct Rule {
  const char* id;
  const char* promise;  // what holds when it is kept
  const char* advice;   // where it is not
  std::uint32_t needs;  // of Need
  // Tells the subject what it finds. Null: broken only beside other rules, wherever it shows.
  void (*examine)(Subject& subject);
};

// In the order in which they are examined.
std::span<const Rule> AllRules();
// Null: there is none with that id.
const Rule* FindRule(std::string_view id);

// Rules that any call may break.
inline constexpr char kRuleErrors[] = "errors";
inline constexpr char kRuleExceptions[] = "exceptions";
inline constexpr char kRuleHostCalls[] = "host-calls";

// What each of rules_*.cc examines.
void ExamineTable(Subject& subject);
void ExamineSchemas(Subject& subject);
void ExamineCreate(Subject& subject);
void ExamineBounds(Subject& subject);
void ExamineRepeat(Subject& subject);
void ExamineSideBySide(Subject& subject);
void ExamineProcess(Subject& subject);
void ExamineUnload(Subject& subject);
void ExamineHostile(Subject& subject);
void ExamineConfigure(Subject& subject);
void ExamineDiscover(Subject& subject);
void ExamineBatch(Subject& subject);
void ExamineReadTimeout(Subject& subject);
void ExamineReadWake(Subject& subject);
void ExamineRelease(Subject& subject);
void ExaminePosition(Subject& subject);
void ExamineForeignPosition(Subject& subject);
void ExamineAck(Subject& subject);
void ExamineStop(Subject& subject);
void ExamineProduce(Subject& subject);
void ExamineProduceTimeout(Subject& subject);
void ExamineFlush(Subject& subject);

}  // namespace kps::cli
