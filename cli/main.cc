// kps-connector: the command line over commands.h.

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/kit/tools.h"
#include "cli/stop_on_signals.h"
#include "kps/version.h"

namespace {

using kps::cli::Output;

constexpr char kFooter[] = R"(
A FILE holds a stream or a config in the platform's JSON ({"name", "direction", "stream": {...}} or
{"name", "config": {...}}), the protobuf JSON of a SetPayloadRequest, Payload, Stream or Config, what
`streams get -o json` printed, or an array of these. - is the standard input.

Exit codes:
  0  done; for --follow, ended by SIGINT or SIGTERM
  1  the command line or a file is wrong; nothing was sent
  2  the connector refused: its reason, and every violation on a line of its own; health: it is not SERVING;
     tools of plugin: the plugin cannot be used
  3  no answer: nothing reachable at the address, or not in time)";

struct Options {
  std::string address = "127.0.0.1:8000";
  std::string connector_id;
  double timeout_seconds = 10;
};

std::string Version() {
  return "kps-connector " + std::to_string(KPS_VERSION_MAJOR) + "." + std::to_string(KPS_VERSION_MINOR) + "." +
         std::to_string(KPS_VERSION_PATCH);
}

std::size_t TerminalWidth() {
  winsize size{};
  return isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

std::string CheckAddress(const std::string& address) {
  const bool has_port = address.find(':') != std::string::npos && address.find("://") == std::string::npos;
  return has_port || address.find(":///") != std::string::npos ? "" : "\"" + address + "\" is not HOST:PORT";
}

// "nan" is neither below nor above any limit.
std::string CheckFinite(const std::string& number) {
  return std::isfinite(std::strtod(number.c_str(), nullptr)) ? "" : "\"" + number + "\" is no finite number";
}

CLI::App* AddCommand(CLI::App* parent, const char* name, const char* description) {
  return parent->add_subcommand(name, description)->fallthrough();  // so that options may stand on either side
}

int RunCommandLine(int argc, char** argv) {
  Options options;
  kps::cli::StreamsSetArguments streams;
  std::vector<std::string> config;
  std::string output = "table";
  bool follow = false;

  CLI::App app("Sets and shows the streams, config and events of a connector.", "kps-connector");
  app.footer(kFooter);
  app.set_version_flag("--version", Version());
  app.require_subcommand(1);
  app.add_option("--address", options.address, "where the host listens, HOST:PORT")
      ->envname("KPS_ADDRESS")
      ->check(CLI::Validator(CheckAddress, "HOST:PORT"))
      ->capture_default_str();
  app.add_option("--connector-id", options.connector_id, "the connector's id; else the one that the files name")
      ->envname("CONNECTOR_INSTANCE_ID");
  app.add_option("-o,--output", output, "table, or json: the protobuf JSON of the response")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  app.add_option("--timeout", options.timeout_seconds, "seconds that a call may take")
      ->check(CLI::Validator(CheckFinite, ""))
      ->check(CLI::Range(0.001, 86400.0))
      ->capture_default_str();

  CLI::App* streams_group = AddCommand(&app, "streams", "The streams of the connector")->require_subcommand(1);
  CLI::App* streams_set = AddCommand(streams_group, "set", "Declare the whole desired set: streams not named stop");
  streams_set->add_option("FILE", streams.files, "together, the whole desired set");
  streams_set->add_option("--add", streams.add_files, "FILE...: keep what is set, and add or replace these");
  streams_set->add_option("--remove", streams.remove_ids, "ID...: keep what is set, but for these");
  streams_set->add_flag("--none", streams.none, "stop every stream");
  streams_set->footer("--add and --remove read, change and write: another writer in between is overwritten.");
  CLI::App* streams_get = AddCommand(streams_group, "get", "Show the desired and the discovered streams");

  CLI::App* config_group = AddCommand(&app, "config", "The dynamic config of the connector")->require_subcommand(1);
  CLI::App* config_set = AddCommand(config_group, "set", "Merge keys into the config; the streams stay as they are");
  config_set->add_option("KEY=VALUE|FILE", config, "VALUE is JSON where it is valid JSON, else a string; later wins")
      ->required();
  CLI::App* config_get = AddCommand(config_group, "get", "Show the config");

  CLI::App* events = AddCommand(&app, "events", "Show the latest alerts and statuses");
  events->add_flag("--follow", follow, "print new and changed ones until SIGINT or SIGTERM");

  CLI::App* plugin_group =
      AddCommand(&app, "plugin", "Plugins: the one that the host runs, and tools for those who write one")
          ->require_subcommand(1);
  CLI::App* plugin_status = AddCommand(plugin_group, "status", "Show it, and how its last swaps went");
  CLI::App* plugin_reload =
      AddCommand(plugin_group, "reload", "Load its file as it is now; the streams go over to it, or stay as they are");

  kps::cli::ToolJob tool;
  kps::cli::AddTools(plugin_group, &tool);

  CLI::App* health = AddCommand(&app, "health", "Ask whether the connector is serving: its transport is connected");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kps::cli::kExitOk : kps::cli::kExitUsage;
  }

  if (tool) return tool({output == "json", TerminalWidth(), std::cin, std::cout, std::cerr});

  // Before the client, whose threads inherit the blocked signals.
  std::unique_ptr<kps::cli::StopOnSignals> stop;
  if (follow) stop = std::make_unique<kps::cli::StopOnSignals>();
  kps::cli::Client client(options.address, std::chrono::milliseconds(static_cast<int>(options.timeout_seconds * 1000)));
  kps::cli::Context context{client,
                            options.connector_id,
                            output == "json" ? Output::kJson : Output::kTable,
                            TerminalWidth(),
                            std::cin,
                            std::cout,
                            std::cerr};

  if (streams_set->parsed()) return StreamsSet(streams, context);
  if (streams_get->parsed()) return StreamsGet(context);
  if (config_set->parsed()) return ConfigSet(config, context);
  if (config_get->parsed()) return ConfigGet(context);
  if (plugin_status->parsed()) return PluginStatus(context);
  if (plugin_reload->parsed()) return PluginReload(context);
  if (health->parsed()) return Health(context);
  return follow ? FollowEvents(context, stop->token()) : Events(context);
}

}  // namespace

// A standard descriptor that is closed would become the first file that is opened, and be read or written to as one.
// Before the initializers of the libraries, which open some, and so by system calls alone: nothing else is ready.
__attribute__((no_sanitize("address", "thread", "undefined"))) static void OpenStandardDescriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (syscall(SYS_fcntl, fd, F_GETFD) < 0) syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
  }
}
[[gnu::section(".preinit_array"), gnu::used]] static void (*const kOpenStandardDescriptors)() = OpenStandardDescriptors;

int main(int argc, char** argv) {
  if (argc == 2) {
    if (const auto exit_code = kps::cli::RunAsChild(argv[1])) return *exit_code;
  }
  const int exit_code = RunCommandLine(argc, argv);
  if (!std::cout.flush()) {
    std::cerr << "cannot write the output" << std::endl;
    return exit_code == kps::cli::kExitOk ? kps::cli::kExitUsage : exit_code;
  }
  return exit_code;
}
