#include "cli/refusal.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "cli/read_payloads.h"
#include "cli/render.h"
#include "connector/v1/connector.pb.h"
#include "google/rpc/error_details.pb.h"

namespace kps::cli {
namespace {

// The payload that a field such as "payloads[2].stream.id" is about.
std::optional<int> PayloadIndex(const std::string& field) {
  constexpr std::string_view kStart = "payloads[";
  if (!field.starts_with(kStart)) return {};
  int index = 0;
  const char* const end = field.data() + field.size();
  const auto [after, error] = std::from_chars(field.data() + kStart.size(), end, index);
  if (error != std::errc() || after == end || *after != ']') return {};
  return index;
}

// What the field belongs to: `stream "a", from a.json`.
std::string Owner(const std::string& field, const v1::SetPayloadRequest& request, const Sources& sources) {
  const auto index = PayloadIndex(field);
  if (!index || *index < 0 || *index >= request.payloads_size()) return "the request";
  const v1::Payload& payload = request.payloads(*index);
  if (payload.has_config()) return "config" + (sources.config.empty() ? "" : ", from " + sources.config);
  const std::string& id = payload.stream().id();
  const auto source = sources.streams.find(id);
  return "stream \"" + Printable(id) + "\"" + (source == sources.streams.end() ? "" : ", from " + source->second);
}

struct Line {
  std::string owner;
  std::string field;
  std::string description;
};

}  // namespace

std::string DescribeRefusal(const v1::ResponseStatus& status, const v1::SetPayloadRequest& request,
                            const Sources& sources) {
  std::string text = ShortEnumName(v1::ResponseCode_Name(status.code()), "RESPONSE_CODE_");
  if (text.empty()) text = "code " + std::to_string(status.code());
  text += ": " + (status.message().empty() ? "(the connector gave no reason)" : Printable(status.message()));

  std::vector<Line> lines;
  std::size_t width = 0;
  for (const google::protobuf::Any& detail : status.details()) {
    google::rpc::BadRequest bad_request;
    if (!detail.UnpackTo(&bad_request)) continue;
    for (const auto& violation : bad_request.field_violations()) {
      lines.push_back({Owner(violation.field(), request, sources), Printable(violation.field()),
                       Printable(violation.description())});
      width = std::max(width, lines.back().field.size());
    }
  }
  const std::string* owner = nullptr;
  for (const Line& line : lines) {
    if (owner == nullptr || *owner != line.owner) text += "\n  " + line.owner;
    owner = &line.owner;
    // A path beyond all measure does not push the others away.
    constexpr std::size_t kColumnMax = 60;
    const std::size_t column = std::min(width, kColumnMax);
    const std::size_t gap = line.field.size() < column ? column - line.field.size() : 0;
    text += "\n    " + line.field + std::string(gap + 2, ' ') + line.description;
  }
  return text;
}

}  // namespace kps::cli
