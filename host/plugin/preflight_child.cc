#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "host/plugin/load.h"
#include "host/plugin/packed_texts.h"
#include "host/plugin/parent_process.h"
#include "host/plugin/preflight.h"
#include "host/plugin/preflight_frame.h"

namespace kps {
namespace {

constexpr int kExitUsage = 2;

class IgnoringServices : public HostServices {
 public:
  void Log(LogLevel, std::string_view, std::string_view) override {}
  void Raise(Event) override {}
  void CounterAdd(std::string_view, std::string_view, std::uint64_t) override {}
  void GaugeSet(std::string_view, std::string_view, double) override {}
};

Error Try(const PreflightRequest& request, const ParentProcess& parent) {
  parent.Tell(kPreflightProgress, kWhileLoading);
  const auto plugin = LoadPlugin(request.path, {.no_unload = true});
  if (!plugin.ok()) return plugin.error();
  parent.Tell(kPreflightProgress, kInCreate);
  IgnoringServices services;
  auto connector = plugin.value()->CreateConnector(request.static_json, request.config_json, &services);
  if (!connector.ok()) {
    Error error(connector.error().code(),
                request.path + " cannot create its connector: " + connector.error().message());
    error.set_retry_after(connector.error().retry_after());
    return error;
  }
  parent.Tell(kPreflightProgress, kInDestroy);
  connector.value().reset();
  return {};
}

}  // namespace

int RunPreflight() {
  const auto parent = ParentProcess::Find();
  const auto texts = parent ? UnpackTexts(parent->request(), 3) : std::nullopt;
  if (!texts) {
    std::fputs("--preflight is how the host tries a plugin in a child process of its own: it is not for people\n",
               stderr);
    return kExitUsage;
  }
  const Error error = Try({(*texts)[0], (*texts)[1], (*texts)[2]}, *parent);
  parent->Tell(static_cast<std::int32_t>(error.code()),
               PackTexts({error.message(), std::to_string(error.retry_after().count())}));
  _exit(0);  // static destructors are not the question
}

}  // namespace kps
