#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host/app/log.h"
#include "host/app/options.h"
#include "host/app/run.h"
#include "host/grpc/probe.h"
#include "host/plugin/preflight.h"

namespace {

// Below the second that Kubernetes waits for a probe by default.
constexpr std::chrono::milliseconds kProbeTimeout{900};

int Fail(const std::string& text) {
  std::fprintf(stderr, "kps-connector-host: %s\n", text.c_str());
  return kps::kExitUsage;
}

int RunProbe(const std::string& listen) {
  const auto ready = kps::Probe(listen, kProbeTimeout);
  if (!ready.ok()) return Fail(ready.error().message());
  std::printf("the host at %s is ready\n", ready.value().c_str());
  return kps::kExitStopped;
}

}  // namespace

int main(int argc, char** argv) {
  // The host tries a plugin in a child, which is this program again (preflight.h).
  if (argc == 2 && std::string_view(argv[1]) == "--preflight") return kps::RunPreflight();

  std::error_code unknown;
  const std::string program = std::filesystem::read_symlink("/proc/self/exe", unknown).string();
  auto parsed = kps::ParseOptions(std::vector<std::string>(argv + 1, argv + argc), program);
  if (!parsed.ok()) return Fail(parsed.error().message());
  if (parsed.value().print) {
    std::fputs(parsed.value().print->c_str(), stdout);
    return kps::kExitStopped;
  }
  const kps::HostOptions& options = parsed.value().options;
  if (parsed.value().probe) return RunProbe(options.listen);
  const auto logger = kps::MakeLogger(options.log_level, options.log_format);
  return kps::Run(options, logger.get());
}
