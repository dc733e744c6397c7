// A plugin through its C ABI, as the host drives it.
#pragma once

#include "tests/bench/plugins/service.h"

namespace kps::bench {

// Each batch is acknowledged as soon as it came.
void ReceiveByPlugin(const Service& service, const Size& size, Stopwatch* stopwatch);
// As many at once as the host gives at most, and a flush at the end.
void SendByPlugin(const Service& service, const Size& size, Stopwatch* stopwatch);

}  // namespace kps::bench
