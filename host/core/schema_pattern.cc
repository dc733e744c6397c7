// Regular expressions as RapidJSON knows them: an automaton whose time is bounded by the text, but with a small
// language.
#include <rapidjson/internal/regex.h>

#include "host/core/schema_rules.h"

namespace kps {
namespace {

// Walks a pattern that RapidJSON could compile. It follows a repetition of something that may be empty, as in (a*)*,
// for ever, until the stack ends.
class EmptyLoopSearch {
 public:
  explicit EmptyLoopSearch(std::string_view pattern) : rest_(pattern) {}

  bool Found() {
    (void)Alternatives();
    return found_;
  }

 private:
  // Each answers whether what it has read may match nothing.
  bool Alternatives() {
    bool empty = Sequence();
    while (Take('|')) empty = Sequence() || empty;
    return empty;
  }

  bool Sequence() {
    bool empty = true;
    while (!rest_.empty() && rest_.front() != '|' && rest_.front() != ')') empty = Repeated() && empty;
    return empty;
  }

  bool Repeated() {
    bool empty = Atom();
    for (;;) {
      if (Take('*') || Take('+')) {
        if (empty) found_ = true;
        empty = rest_before_ == '*' || empty;
      } else if (Take('?')) {
        empty = true;
      } else if (Take('{')) {
        const bool endless = rest_.substr(0, rest_.find('}')).ends_with(',');
        if (empty && endless) found_ = true;
        empty = empty || rest_.starts_with('0');
        SkipPast('}');
      } else {
        return empty;
      }
    }
  }

  bool Atom() {
    if (Take('(')) {
      const bool empty = Alternatives();
      (void)Take(')');
      return empty;
    }
    if (Take('^') || Take('$')) return true;
    if (Take('[')) {
      (void)Take('^');
      while (!rest_.empty() && rest_.front() != ']')
        rest_.remove_prefix(rest_.front() == '\\' && rest_.size() > 1 ? 2 : 1);
      SkipPast(']');
      return false;
    }
    rest_.remove_prefix(rest_.front() == '\\' && rest_.size() > 1 ? 2 : 1);
    return false;
  }

  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_before_ = c;
    rest_.remove_prefix(1);
    return true;
  }

  void SkipPast(char c) { rest_.remove_prefix(std::min(rest_.find(c), rest_.size() - 1) + 1); }

  std::string_view rest_;
  char rest_before_ = 0;
  bool found_ = false;
};

// The automaton is built by recursion, in the author's nesting.
constexpr std::size_t kPatternBytesMax = 1024;

}  // namespace

std::string PatternProblem(std::string_view pattern) {
  if (pattern.size() > kPatternBytesMax) return "is longer than " + std::to_string(kPatternBytesMax) + " bytes";
  const std::string text(pattern);
  if (text.find('\0') != text.npos) return "has a NUL character";
  if (!rapidjson::internal::Regex(text.c_str()).IsValid()) {
    return "\"" + text +
           "\" is no regular expression that the host knows. There are . | * + ? {n,m} ( ) [ ] ^ $ and a \\ before one "
           "of "
           "them or before f, n, r, t, v; for \\d write [0-9], for \\w [A-Za-z0-9_], and put a - last in [ ]";
  }
  if (EmptyLoopSearch(pattern).Found()) {
    return "\"" + text + "\" repeats something that may be empty, as (a*)* does: write it without the inner repetition";
  }
  return {};
}

}  // namespace kps
