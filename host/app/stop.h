// Stopping in time, whatever the plugin does.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "host/core/plugin_calls.h"

namespace kps {

// Runs `stop` on a thread of its own, and returns nothing when that has ended. After `limit` it waits on only as long
// as `overdue` names no call of the plugin; those that it names are returned. The thread is left behind then, with all
// that it refers to: the process can do nothing but end.
std::vector<PluginCall> StopWithin(std::chrono::milliseconds limit, std::function<void()> stop,
                                   const std::function<std::vector<PluginCall>()>& overdue);

}  // namespace kps
