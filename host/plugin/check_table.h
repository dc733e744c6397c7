// Whether a host can call what is in a plugin's table.
#pragma once

#include <kps/plugin.h>

#include "host/core/error.h"

namespace kps {

// Why the table cannot be used, in a sentence with what to do; OK: it can.
Error CheckTable(const kps_plugin* table);

}  // namespace kps
