#include "tests/bench/set_payload.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <string>

#include "connector/v1/connector.grpc.pb.h"
#include "host/core/runtime.h"
#include "host/grpc/server.h"
#include "host/plugin/load.h"
#include "host/transport/make_transport.h"
#include "tests/bench/child.h"
#include "tests/bench/ports.h"
#include "tests/support/eventually.h"

namespace kps::bench {
namespace {

namespace v1 = connector::v1;
using std::chrono::steady_clock;

constexpr int kRoundsMax = 1000;
using Latencies = std::array<SetPayloadLatency, kRoundsMax>;

v1::SetPayloadRequest Request(int streams, int round) {
  v1::SetPayloadRequest request;
  for (int i = 0; i < streams; ++i) {
    // Names of this round, so that nothing waits for a stream of the last one to end.
    const std::string id = "stream-" + std::to_string(round) + "-" + std::to_string(i);
    v1::Stream* const stream = request.add_payloads()->mutable_stream();
    stream->set_id(id);
    stream->set_direction(v1::STREAM_DIRECTION_INGRESS);
    stream->set_transport_channel(id);
    // One message at the start, then none: what is measured is the call.
    (*stream->mutable_metadata()->mutable_fields())["count"].set_number_value(1);
  }
  return request;
}

double CallMs(v1::ConnectorService::Stub* stub, const v1::SetPayloadRequest& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + test::kDeadline);
  v1::SetPayloadResponse response;
  const auto begin = steady_clock::now();
  const grpc::Status status = stub->SetPayload(&context, request, &response);
  const double ms = std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count();
  if (!status.ok()) throw std::runtime_error(status.error_message());
  if (response.status().code() != v1::RESPONSE_CODE_OK) throw std::runtime_error(response.status().message());
  return ms;
}

void AwaitRunning(const Runtime& runtime, std::size_t streams) {
  const bool running = test::Eventually([&] {
    const auto views = runtime.Streams();
    return views.size() == streams &&
           std::all_of(views.begin(), views.end(), [](const Runtime::StreamView& view) { return view.subscribed; });
  });
  if (!running) throw std::runtime_error("not all streams run");
}

void Measure(int streams, int rounds, Latencies* latencies) {
  WarningsOnly logger;
  SystemClock clock;
  std::shared_ptr<Plugin> plugin = Must(LoadPlugin(std::string(KPS_BENCH_PLUGINS) + "/generator.so"));
  const auto transport = Must(MakeTransport("memory:", "", &logger));
  const auto runtime = Must(Runtime::Create({}, {std::move(plugin), transport.get(), &logger, &clock}));
  const auto server = Must(Server::Start("127.0.0.1:0", {runtime.get(), transport.get()}));
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const auto stub = v1::ConnectorService::NewStub(
      grpc::CreateCustomChannel(server->address(), grpc::InsecureChannelCredentials(), arguments));
  CallMs(stub.get(), {});  // the connection is made
  for (int round = 0; round < rounds; ++round) {
    const v1::SetPayloadRequest request = Request(streams, round);
    SetPayloadLatency& latency = latencies->at(static_cast<std::size_t>(round));
    latency.new_ms = CallMs(stub.get(), request);
    AwaitRunning(*runtime, static_cast<std::size_t>(streams));
    latency.unchanged_ms = CallMs(stub.get(), request);
    CallMs(stub.get(), {});  // stops them all
  }
  server->Shutdown(std::chrono::milliseconds(0));
  runtime->Shutdown();
}

}  // namespace

std::vector<SetPayloadLatency> MeasureSetPayload(int streams, int rounds) {
  if (rounds > kRoundsMax) throw std::runtime_error("too many rounds");
  const Shared<Latencies> latencies;
  Child child("SetPayload", [&] { Measure(streams, rounds, latencies.get()); });
  if (const std::string error = child.Wait(); !error.empty()) throw std::runtime_error(error);
  return {latencies->begin(), latencies->begin() + rounds};
}

}  // namespace kps::bench
