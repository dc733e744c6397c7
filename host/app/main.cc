#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host/app/log.h"
#include "host/app/options.h"
#include "host/app/run.h"
#include "host/plugin/preflight.h"

int main(int argc, char** argv) {
  // The host tries a plugin in a child, which is this program again (preflight.h).
  if (argc == 2 && std::string_view(argv[1]) == "--preflight") return kps::RunPreflight();

  std::error_code unknown;
  const std::string program = std::filesystem::read_symlink("/proc/self/exe", unknown).string();
  auto parsed = kps::ParseOptions(std::vector<std::string>(argv + 1, argv + argc), program);
  if (!parsed.ok()) {
    std::fprintf(stderr, "kps-connector-host: %s\n", parsed.error().message().c_str());
    return kps::kExitUsage;
  }
  if (parsed.value().print) {
    std::fputs(parsed.value().print->c_str(), stdout);
    return kps::kExitStopped;
  }
  const kps::HostOptions& options = parsed.value().options;
  const auto logger = kps::MakeLogger(options.log_level, options.log_format);
  return kps::Run(options, logger.get());
}
