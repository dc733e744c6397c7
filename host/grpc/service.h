// connector.v1.ConnectorService over a Runtime. Internal to host/grpc.
#pragma once

#include <memory>
#include <stop_token>

namespace grpc {
class Service;
}

namespace kps {

class Runtime;

// `runtime` outlives the service. SetPayloads are applied one after the other, as they come; more than
// `waiting_sets_max` do not wait for their turn. A call that waits ends when its deadline has passed, reckoned from
// when it came in, or when the news that its client has cancelled it has come in; with `stop` it is refused. None of
// them is applied. One that has begun is applied as a whole, whoever still listens.
std::unique_ptr<grpc::Service> MakeConnectorService(Runtime* runtime, int waiting_sets_max, std::stop_token stop);

}  // namespace kps
