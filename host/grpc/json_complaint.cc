#include "host/grpc/json_complaint.h"

#include <algorithm>
#include <charconv>

namespace kps {
namespace {

// Calls `see` with the offset of each byte that is in no string, until it returns true; npos: it never did.
template <typename See>
std::size_t FindOutsideStrings(std::string_view text, See see) {
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (!in_string && see(i)) {
      return i;
    }
  }
  return text.npos;
}

// The digits of the double that is next to an integer.
std::string AsDouble(std::string_view integer) {
  double number = 0;
  std::from_chars(integer.data(), integer.data() + integer.size(), number);
  char text[320];  // the largest double has 309 digits
  const auto end = std::to_chars(text, text + sizeof text, number, std::chars_format::fixed, 0);
  return {text, end.ptr};
}

}  // namespace

JsonComplaint SplitJsonComplaint(std::string_view said) {
  JsonComplaint complaint;
  if (said.starts_with('(') && said.find(')') != std::string_view::npos) {
    complaint.path = said.substr(1, said.find(')') - 1);
    said.remove_prefix(said.find(')') + 1);
  }
  const std::size_t colon = said.find(": ");
  if (colon == said.npos) {
    complaint.text = said;
    return complaint;
  }
  std::string_view name = said.substr(0, colon);
  if (name.starts_with(' ')) name.remove_prefix(1);
  if (!name.empty() && !complaint.path.empty()) complaint.path += '.';
  complaint.path += name;
  complaint.text = said.substr(colon + 2);
  return complaint;
}

std::optional<std::size_t> FindDeeperThan(int depth_max, std::string_view text) {
  int depth = 0;
  const std::size_t found = FindOutsideStrings(text, [&](std::size_t i) {
    if (text[i] == '}' || text[i] == ']') --depth;
    return (text[i] == '{' || text[i] == '[') && ++depth > depth_max;
  });
  if (found == text.npos) return std::nullopt;
  return found;
}

std::optional<InexactInteger> FindInexactInteger(std::string_view text) {
  constexpr std::string_view kOfNumbers = "+-.0123456789Ee";
  std::size_t next = 0;  // behind the last number
  std::string_view number;
  const std::size_t found = FindOutsideStrings(text, [&](std::size_t i) {
    if (i < next || !(text[i] == '-' || (text[i] >= '0' && text[i] <= '9'))) return false;
    next = std::min(text.find_first_not_of(kOfNumbers, i), text.size());
    number = text.substr(i, next - i);
    return number.find_first_of(".Ee") == number.npos && AsDouble(number) != number;
  });
  if (found == text.npos) return std::nullopt;
  const std::string digits(number);
  return InexactInteger{found, digits + " would become " + AsDouble(number) +
                                   ", as numbers are doubles: write it as a string, \"" + digits + "\""};
}

}  // namespace kps
