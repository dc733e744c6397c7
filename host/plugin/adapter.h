// The ports of core/plugin.h over a kps_plugin table. Every call into the plugin stops exceptions, checks the answer,
// and copies what it keeps.
#pragma once

#include <kps/plugin.h>

#include <memory>
#include <string>

#include "host/core/plugin.h"

namespace kps {

// `table` has passed CheckTable (check_table.h) and lives as long as `library`, which everything created from the
// result holds.
std::unique_ptr<Plugin> AdaptPlugin(const kps_plugin* table, std::shared_ptr<void> library);

}  // namespace kps
