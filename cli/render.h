// Messages of the contract as text for a person (tables) or a program (protobuf JSON).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/contract.h"
#include "cli/result.h"
#include "cli/table.h"

namespace kps::cli {

// ID DIRECTION CHANNEL STATE METADATA
std::string StreamsTable(const v1::GetPayloadResponse& response, std::size_t row_width_max);

// KEY VALUE, sorted by key.
std::string ConfigTable(const v1::GetPayloadResponse& response, std::size_t row_width_max);

// TIME KIND ID STREAM STATE SEVERITY MESSAGE
Table EventsTable(std::size_t row_width_max);
std::vector<std::string> EventRow(const v1::EventPayload& event);

// PLUGIN and its version, then a row for each thing that is known.
std::string PluginTable(const host::v1::PluginStatus& status, std::size_t row_width_max);

// Protobuf JSON with every field, several lines or one; ends with a newline.
Result<std::string> JsonLines(const google::protobuf::Message& message);
Result<std::string> JsonLine(const google::protobuf::Message& message);

// One line of compact JSON, keys sorted: equal values are equal texts.
std::string CompactJson(const google::protobuf::Struct& metadata);

// "STATE_HEALTHY", "STATE_" -> "HEALTHY".
std::string ShortEnumName(std::string_view name, std::string_view prefix);

}  // namespace kps::cli
