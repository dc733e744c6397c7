// A report about a plugin, for a person.
#pragma once

#include <string>
#include <vector>

#include "cli/kit/inspect/plugin_report.h"

namespace kps::cli {

// One row for each thing that is known, then a table for each schema. `row_width_max`: as Table.
std::string ReportText(const PluginReport& report, std::size_t row_width_max);

// "INGRESS, EGRESS"
std::string DirectionsText(const PluginDescriptor& descriptor);

// "yes", "yes, but ...", "no: ...".
std::string UnloadableText(const PluginReport& report);

// The flags of the ABI that the table has, by their names there.
std::vector<std::string> FlagNames(const PluginDescriptor& descriptor);

}  // namespace kps::cli
