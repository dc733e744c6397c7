// kps.host.v1.PluginService over core's PluginControl.
#pragma once

#include <memory>

namespace grpc {
class Service;
}

namespace kps {

class PluginControl;

// `plugin` outlives the service.
std::unique_ptr<grpc::Service> MakePluginService(PluginControl* plugin);

}  // namespace kps
