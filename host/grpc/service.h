// connector.v1.ConnectorService over a Runtime. Internal to host/grpc.
#pragma once

#include <memory>

namespace grpc {
class Service;
}

namespace kps {

class Runtime;

// `runtime` outlives the service.
std::unique_ptr<grpc::Service> MakeConnectorService(Runtime* runtime);

}  // namespace kps
