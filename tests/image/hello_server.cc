// The least that can be called: a gRPC server that accepts every SetPayload. Beside it, the image's figures say what
// the host is apart from gRPC.   hello-server ADDRESS
#include <grpcpp/grpcpp.h>

#include <csignal>
#include <cstdio>

#include "connector/v1/connector.grpc.pb.h"

namespace {

namespace v1 = connector::v1;

class Hello : public v1::ConnectorService::Service {
 public:
  grpc::Status SetPayload(grpc::ServerContext*, const v1::SetPayloadRequest*,
                          v1::SetPayloadResponse* response) override {
    response->mutable_status()->set_code(v1::RESPONSE_CODE_OK);
    return grpc::Status::OK;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: hello-server ADDRESS\n", stderr);
    return 1;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // of all threads
  Hello hello;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(argv[1], grpc::InsecureServerCredentials());
  builder.RegisterService(&hello);
  const auto server = builder.BuildAndStart();
  if (!server) {
    std::fprintf(stderr, "hello-server: cannot listen on %s\n", argv[1]);
    return 1;
  }
  int signal = 0;
  sigwait(&signals, &signal);
  server->Shutdown();
  return 0;
}
