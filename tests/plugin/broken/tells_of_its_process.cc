/* create_connector fails with a description of the process that it is in, and of what it was given. */
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "good_table.h"

static std::string Describe(kps_str static_json, kps_str config_json) {
  std::string text = "descriptors";
  int others = 0;
  for (int fd = 0; fd < 1024; ++fd) {
    std::error_code closed;
    const auto target = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), closed);
    if (closed) continue;
    if (fd < 2) text += " " + target.string();
    if (fd > 2) ++others;
  }
  text += " and " + std::to_string(others) + " more;";

  sigset_t blocked;
  sigprocmask(SIG_BLOCK, nullptr, &blocked);
  text += sigisemptyset(&blocked) ? " no signal blocked," : " a signal blocked,";
  struct sigaction action {};
  sigaction(SIGPIPE, nullptr, &action);
  text += action.sa_handler == SIG_DFL ? " SIGPIPE default;" : " SIGPIPE ignored;";
  rlimit core{};
  getrlimit(RLIMIT_CORE, &core);
  text += " core dumps of " + std::to_string(core.rlim_cur) + ";";

  std::ifstream file("/proc/self/cmdline");
  const std::string arguments{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  text += arguments.find("secret") == std::string::npos ? " no secret argument;" : " a secret argument;";
  return text + " got " + std::to_string(static_json.size) + " and " + std::to_string(config_json.size) + " bytes";
}

static kps_code create(const kps_host *, kps_str static_json, kps_str config_json, kps_connector **, kps_error *error) {
  const std::string text = Describe(static_json, config_json);
  kps_error_set(error, KPS_UNAVAILABLE, text.data(), text.size());
  error->retry_after_ms = 1500;
  return KPS_UNAVAILABLE;
}

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("tells-of-its-process");
  table.create_connector = create;
  return &table;
}
