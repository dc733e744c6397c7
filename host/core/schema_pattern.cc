// Regular expressions as RapidJSON knows them: an automaton whose time is bounded by the text, but with a small
// language.
#include <rapidjson/internal/regex.h>

#include "host/core/schema_rules.h"

namespace kps {
namespace {

// Reads a pattern for what RapidJSON does not survive: a ( without its ), a repetition or an alternative of
// nothing, and a repetition of something that may be empty, as in (a*)*, which it follows for ever, until the stack
// ends.
class Hazards {
 public:
  explicit Hazards(std::string_view pattern) : rest_(pattern) {
    (void)Alternatives();
    if (!rest_.empty()) well_formed_ = false;
  }

  bool well_formed() const { return well_formed_; }
  bool empty_loop() const { return empty_loop_; }

 private:
  // Each answers whether what it has read may match nothing.
  bool Alternatives() {
    bool empty = Sequence();
    while (Take('|')) empty = Sequence() || empty;
    return empty;
  }

  bool Sequence() {
    const int atoms_before = atoms_;
    bool empty = true;
    while (!rest_.empty() && rest_.front() != '|' && rest_.front() != ')') empty = Repeated() && empty;
    if (atoms_ == atoms_before) well_formed_ = false;
    return empty;
  }

  bool Repeated() {
    const int atoms_before = atoms_;
    bool empty = Atom();
    for (;;) {
      if (AtRepetition() && atoms_ == atoms_before) well_formed_ = false;
      if (Take('*') || Take('+')) {
        if (empty) empty_loop_ = true;
        empty = taken_ == '*' || empty;
      } else if (Take('?')) {
        empty = true;
      } else if (Take('{')) {
        const bool endless = rest_.substr(0, rest_.find('}')).ends_with(',');
        if (empty && endless) empty_loop_ = true;
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
      if (!Take(')')) well_formed_ = false;
      return empty;
    }
    if (Take('^') || Take('$')) return true;
    if (AtRepetition()) well_formed_ = false;
    ++atoms_;
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

  bool AtRepetition() const {
    return !rest_.empty() && std::string_view("*+?{").find(rest_.front()) != std::string_view::npos;
  }

  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    taken_ = c;
    rest_.remove_prefix(1);
    return true;
  }

  void SkipPast(char c) { rest_.remove_prefix(std::min(rest_.find(c), rest_.size() - 1) + 1); }

  std::string_view rest_;
  char taken_ = 0;
  int atoms_ = 0;
  bool well_formed_ = true;
  bool empty_loop_ = false;
};

// The automaton is built by recursion, in the author's nesting.
constexpr std::size_t kPatternBytesMax = 1024;

}  // namespace

std::string PatternProblem(std::string_view pattern) {
  if (pattern.size() > kPatternBytesMax) return "is longer than " + std::to_string(kPatternBytesMax) + " bytes";
  const std::string text(pattern);
  if (text.find('\0') != text.npos) return "has a NUL character";
  const Hazards hazards(pattern);
  if (!hazards.well_formed() || !rapidjson::internal::Regex(text.c_str()).IsValid()) {
    return "\"" + text +
           "\" is no regular expression that the host knows. There are . | * + ? {n,m} ( ) [ ] ^ $ and a \\ " +
           "before one of them or before f, n, r, t, v; for \\d write [0-9], for \\w [A-Za-z0-9_], and put a - last in "
           "[ ]";
  }
  if (hazards.empty_loop()) {
    return "\"" + text + "\" repeats something that may be empty, as (a*)* does: write it without the inner repetition";
  }
  return {};
}

}  // namespace kps
