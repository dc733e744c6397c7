// A plugin's descriptor as bytes, on its way from the child that has loaded the plugin.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "host/core/plugin.h"

namespace kps::cli {

std::string PackDescriptor(const PluginDescriptor& descriptor);

// No value: `packed` is none.
std::optional<PluginDescriptor> UnpackDescriptor(std::string_view packed);

}  // namespace kps::cli
