// start-time PORT PROGRAM [ARGUMENT...]: starts a program and calls SetPayload at 127.0.0.1:PORT until it answers.
// Prints the milliseconds from the start to the first answer, and the memory that is resident then, in KiB; then ends
// the program.
#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "connector/v1/connector.grpc.pb.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"

namespace {

namespace v1 = connector::v1;
using std::chrono::steady_clock;

// Not by gRPC, which waits ever longer between two attempts to connect.
bool Listens(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const bool listens = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  ::close(fd);
  return listens;
}

void SetNothing(std::uint16_t port) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const auto stub = v1::ConnectorService::NewStub(
      grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials(), arguments));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kps::test::kDeadline);
  v1::SetPayloadResponse response;
  const grpc::Status status = stub->SetPayload(&context, {}, &response);
  if (!status.ok()) throw std::runtime_error("SetPayload: " + status.error_message());
  if (response.status().code() != v1::RESPONSE_CODE_OK) throw std::runtime_error(response.status().message());
}

long ResidentKib(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmRSS:")) return std::stol(line.substr(std::strlen("VmRSS:")));
  }
  throw std::runtime_error("the program has ended");
}

void Measure(std::uint16_t port, const std::vector<std::string>& command) {
  if (Listens(port)) throw std::runtime_error("somebody listens on the port already");
  const auto begin = steady_clock::now();
  kps::test::Process process(command, {"PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"});
  if (!kps::test::Eventually([&] { return Listens(port); })) {
    process.ReadAvailable();
    throw std::runtime_error("nobody listens: " + process.err());
  }
  SetNothing(port);
  const double ms = std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count();
  std::printf("%.1f %ld\n", ms, ResidentKib(process.pid()));
  process.Signal(SIGTERM);
  if (process.Wait() != 0) throw std::runtime_error("the program did not end in order: " + process.err());
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  if (argc < 3 || std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), port).ec != std::errc()) {
    std::fputs("usage: start-time PORT PROGRAM [ARGUMENT...]\n", stderr);
    return 1;
  }
  try {
    Measure(port, {argv + 2, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "start-time: %s\n", error.what());
    return 1;
  }
  return 0;
}
