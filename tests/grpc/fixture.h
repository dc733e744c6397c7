// A real server over loopback, before a plugin and a transport in memory that do what a test says.
#pragma once

#include <google/protobuf/util/json_util.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "connector/v1/connector.grpc.pb.h"
#include "host/core/runtime.h"
#include "host/grpc/server.h"

namespace kps::test {

namespace v1 = connector::v1;

// What the fakes share with the test.
struct Plant {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::string> created;  // stream id -> metadata that the plugin was given last
  std::map<std::string, int> creations;        // stream id -> how often
  std::vector<std::string> configs;            // in order
  Error configure_error;
  bool configure_blocks = false;
  int configures_blocked = 0;
  bool connected = true;
  std::function<void(bool)> watcher;
  HostServices* services = nullptr;

  template <typename Action>
  auto Do(Action action) {
    const std::lock_guard<std::mutex> lock(mutex);
    changed.notify_all();
    return action();
  }
};

PluginDescriptor BothDirections();

// Everything that one host is, with a stub before it.
class Fixture {
 public:
  struct Options {
    std::string connector_id = "me";
    PluginDescriptor descriptor = BothDirections();
    ServerLimits limits = {};
    bool connected = true;
  };

  Fixture();  // with the options as they are above
  explicit Fixture(Options options);
  ~Fixture();

  Plant& plant() { return plant_; }
  v1::ConnectorService::Stub& stub() { return *stub_; }
  const std::string& address() const { return server_->address(); }
  std::shared_ptr<grpc::Channel> NewChannel(grpc::ChannelArguments arguments = {}) const;
  Server& server() { return *server_; }

  v1::ResponseStatus Set(const v1::SetPayloadRequest& request);
  v1::ResponseStatus Set(const std::string& json) { return Set(FromJson(json)); }
  v1::GetPayloadResponse Get(v1::PayloadKind kind, const std::string& connector_id = "me");
  v1::GetEventsResponse Events(const std::string& connector_id = "me");

  // Streams without what changes by itself, and config: what a request must not change when it is refused.
  std::string State();
  // The transport's connection comes or goes.
  void Connect(bool connected);

  static v1::SetPayloadRequest FromJson(const std::string& json);

 private:
  Plant plant_;
  std::unique_ptr<Plugin> plugin_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Logger> logger_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<v1::ConnectorService::Stub> stub_;
};

// "field: description" of each violation in the details.
std::vector<std::string> Violations(const v1::ResponseStatus& status);

// Text in which the keys of a Struct are in order.
std::string OneLine(const google::protobuf::Message& message);

}  // namespace kps::test
