// connector.v1.ConnectorService over a Runtime. Internal to host/grpc.
#pragma once

#include <memory>

namespace grpc {
class Service;
}

namespace kps {

class Runtime;

// `runtime` outlives the service. SetPayloads are applied one after the other; more than `waiting_sets_max` do not wait
// for their turn. When its turn comes, a call is not applied if its deadline has passed, reckoned from when it came in,
// or if the news that its client has cancelled it has come in. One that has begun is applied as a whole, whoever still
// listens.
std::unique_ptr<grpc::Service> MakeConnectorService(Runtime* runtime, int waiting_sets_max);

}  // namespace kps
