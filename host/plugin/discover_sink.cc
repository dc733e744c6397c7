#include "host/plugin/discover_sink.h"

#include <utility>

#include "host/plugin/text.h"

namespace kps {
namespace {

constexpr std::size_t kIdBytesMax = 1024;  // as a desired stream's

Error Skip(std::string why) { return Error(Code::kInvalidArgument, std::move(why)); }

}  // namespace

DiscoverSink::DiscoverSink(std::uint32_t directions)
    : ingress_((directions & KPS_DIRECTIONS_INGRESS) != 0),
      egress_((directions & KPS_DIRECTIONS_EGRESS) != 0),
      table_{sizeof(kps_discover_sink), 0, this, Found} {}

void DiscoverSink::Found(void* context, kps_str stream_json) {
  static_cast<DiscoverSink*>(context)->Add(View(stream_json));
}

void DiscoverSink::Add(std::string_view stream_json) {
  auto stream = found_.streams.size() < Discovered::kStreamsMax
                    ? Read(stream_json)
                    : Skip("comes after " + std::to_string(Discovered::kStreamsMax) + " others, which is the most");
  if (stream.ok() && !ids_.insert(stream.value().id).second) {
    stream = Skip("has the id \"" + stream.value().id + "\" of another one");
  }
  if (stream.ok()) {
    found_.streams.push_back(std::move(stream.value()));
  } else if (found_.skipped++ == 0) {
    found_.skipped_reason = stream.error().message();
  }
}

Result<StreamSpec> DiscoverSink::Read(std::string_view stream_json) const {
  if (stream_json.size() > kEntryBytesMax) return Skip("is longer than " + std::to_string(kEntryBytesMax) + " bytes");
  const auto entry = ParseJsonObject(stream_json);
  if (!entry.ok()) return Skip("is not a JSON object: " + entry.error().message());
  StreamSpec stream;
  if (const auto id = entry.value().find("id"); id != entry.value().end()) {
    stream.id = JsonStringValue(id->second).value_or("");
  }
  if (stream.id.empty()) return Skip("has no \"id\"");
  if (stream.id.size() > kIdBytesMax)
    return Skip("has an \"id\" longer than " + std::to_string(kIdBytesMax) + " bytes");
  const auto direction = ReadDirection(entry.value());
  if (!direction.ok()) return direction.error();
  stream.direction = direction.value();
  stream.metadata_json = "{}";
  if (const auto metadata = entry.value().find("metadata"); metadata != entry.value().end()) {
    const auto members = ParseJsonObject(metadata->second);
    if (!members.ok()) return Skip("has \"metadata\" that is not a JSON object");
    stream.metadata_json = ToJson(members.value());
  }
  return stream;
}

Result<Direction> DiscoverSink::ReadDirection(const JsonMembers& entry) const {
  const auto member = entry.find("direction");
  if (member == entry.end()) {
    if (ingress_ && egress_) return Direction::kUnspecified;
    return ingress_ ? Direction::kIngress : Direction::kEgress;
  }
  const auto name = JsonStringValue(member->second);
  if (ingress_ && name == "INGRESS") return Direction::kIngress;
  if (egress_ && name == "EGRESS") return Direction::kEgress;
  return Skip("has a \"direction\" that is none of the plugin's (\"INGRESS\", \"EGRESS\")");
}

}  // namespace kps
