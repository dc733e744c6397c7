#include <CLI/App.hpp>
#include <CLI/Validators.hpp>
#include <memory>

#include "cli/kit/plugin_path.h"
#include "cli/kit/run/run.h"

namespace kps::cli {
namespace {

constexpr char kFooter[] = R"(
A stream is what `streams set` takes, with one stream, or the metadata object alone.
Ingress prints each message; egress sends each line of stdin, and ends when all are delivered.
SIGINT and SIGTERM end it in order. Log, events and rates go to stderr.

Exit codes: 0 ended as asked for; 1 the command line or a file is wrong; 2 the plugin cannot be used, or the stream
failed.)";

}  // namespace

void AddRun(CLI::App* group, ToolJob* job) {
  CLI::App* command = group->add_subcommand("run", "Run one stream of a plugin here, without platform or broker");
  command->fallthrough();
  command->footer(kFooter);
  const auto arguments = std::make_shared<RunArguments>();
  command->add_option("FILE|NAME", arguments->plugin, "the plugin")->required();
  command->add_option("--stream", arguments->stream_file, "the stream; - is the standard input; without: no metadata")
      ->type_name("JSON|FILE");
  auto* const ingress = command->add_flag("--ingress", arguments->ingress, "print what the plugin reads");
  command->add_flag("--egress", arguments->egress, "give lines of stdin to the plugin")->excludes(ingress);
  command->add_option("--static-param", arguments->static_params, "a static parameter; VALUE is JSON, or else text")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_option("--config", arguments->config_file, "the config: what `config set` takes, or the object alone")
      ->type_name("JSON|FILE");
  command->add_option("--format", arguments->format, "of messages: text, hex, or json: one object a line")
      ->check(CLI::IsMember({"text", "hex", "json"}).description(""))
      ->capture_default_str();
  command->add_option("--count", arguments->count, "end after so many messages; 0: no end")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N")
      ->capture_default_str();
  command->add_flag("--watch", arguments->watch, "when the plugin's file changes, go on in the new version");
  command->add_option("--drain-timeout", arguments->drain_timeout_s, "what the end may take, in seconds")
      ->type_name("SECONDS")
      ->check(CLI::Range(0, 3600).description(""))
      ->capture_default_str();
  AddPluginPath(command, &arguments->plugin_path);
  command->callback(
      [arguments, job] { *job = [arguments](const ToolContext& context) { return Run(*arguments, context); }; });
}

}  // namespace kps::cli
