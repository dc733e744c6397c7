// The host's options, from the command line and the environment.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/core/dead_letters.h"
#include "host/core/error.h"
#include "host/core/event.h"
#include "host/plugin/trust.h"
#include "host/transport/jetstream_options.h"

namespace kps {

enum class LogFormat { kText, kJson };

struct HostOptions {
  std::string plugin;                    // a name, or the path of a .so; empty: none was chosen
  std::vector<std::string> plugin_path;  // directories
  std::string static_json = "{}";        // static parameters
  std::string connector_id;
  std::string listen = "0.0.0.0:8000";
  std::string transport;  // a URL; empty: none was chosen
  std::string client_name;
  std::optional<JetStreamOptions> jetstream;  // nothing: --delivery core
  std::string payloads;                       // a file; empty: none
  std::string state_dir;                      // a directory; empty: nothing survives the process
  int drain_timeout_s = 10;
  FailurePolicy policy;
  std::size_t batch_messages_max = 1;  // in an envelope
  std::string metrics_listen = "127.0.0.1:9090";  // empty: nowhere
  bool metrics_listen_chosen = false;             // by the command line or the environment
  std::string push_gateway;                       // an address; empty: none
  bool watch = false;      // the plugin's file, and swap it when it changes
  bool no_unload = false;  // libraries stay mapped
  int swap_timeout_s = 10;
  PluginTrust trust;
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kText;
};

// What the command line asked for: options to run with, or a text to print (help, version) before exiting with 0.
struct ParsedOptions {
  HostOptions options;
  bool probe = false;  // do not run: ask the host that does
  std::optional<std::string> print;
};

// Command line first, environment second, defaults last. `program` is the path of the running binary, to
// which the default of --plugin-path is relative. INVALID_ARGUMENT: a sentence for the person at the keyboard.
Result<ParsedOptions> ParseOptions(const std::vector<std::string>& arguments, const std::string& program);

}  // namespace kps
