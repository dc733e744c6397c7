#include "host/grpc/json_complaint.h"

#include <algorithm>

namespace kps {

JsonComplaint SplitJsonComplaint(std::string_view said) {
  JsonComplaint complaint;
  if (said.starts_with('(') && said.find(')') != std::string_view::npos) {
    complaint.path = said.substr(1, said.find(')') - 1);
    said.remove_prefix(said.find(')') + 1);
  }
  const std::size_t colon = std::min(said.find(": "), said.size());
  std::string_view name = said.substr(0, colon);
  if (name.starts_with(' ')) name.remove_prefix(1);
  if (name.ends_with(':')) name.remove_suffix(1);
  if (!name.empty() && !complaint.path.empty()) complaint.path += '.';
  complaint.path += name;
  complaint.text = said.substr(std::min(colon + 2, said.size()));
  return complaint;
}

}  // namespace kps
