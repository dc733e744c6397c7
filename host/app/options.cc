#include "host/app/options.h"

#include <kps/version.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>

#include "host/app/option_table.h"
#include "host/core/static_parameters.h"
#include "host/core/validate.h"
#include "host/plugin/find.h"

namespace kps {
namespace {

constexpr char kFooter[] =
    "Exit codes: 0 stopped in order; 1 wrong options, parameters or payload file; 2 the plugin cannot be used;\n"
    "3 an address cannot be listened on; 4 stopped, but without the plugin, which did not return from a call;\n"
    "5 stopped, but the state could not be saved.\n"
    "With --probe: 0 the running host is ready; 1 it is not, or there is none.\n\n"
    "Example: kps-connector-host --plugin file --transport nats://127.0.0.1:4222 --payloads streams.json";

#define KPS_TEXT_(x) #x
#define KPS_TEXT(x) KPS_TEXT_(x)
constexpr char kVersion[] =
    "kps-connector-host " KPS_TEXT(KPS_VERSION_MAJOR) "." KPS_TEXT(KPS_VERSION_MINOR) "." KPS_TEXT(
        KPS_VERSION_PATCH) " (plugin ABI " KPS_TEXT(KPS_ABI_VERSION) ", contract connector.v1)";

// What CLI11 fills; texts that are checked afterwards.
struct Raw {
  std::string plugin_path;
  std::string static_json;
  std::vector<std::string> static_params;
  std::string log_level = "info";
  std::string log_format = "text";
  std::string on_undeliverable = "dead-letter";
  int retry_delay_max_s = 30;
  std::string delivery = "core";
  JetStreamOptions jetstream;
  std::string jetstream_create = "yes";
  std::string jetstream_storage = "file";
  int jetstream_age_max_s = 24 * 3600;
  int jetstream_duplicate_window_s = 120;
  int jetstream_ack_wait_s = 10;
};

// The Go template's flag package takes one dash; CLI11 would read it as a bundle of short options.
std::vector<std::string> WithTwoDashes(std::vector<std::string> arguments) {
  constexpr std::string_view kFlag = "-connectorInstanceID";
  for (std::string& argument : arguments) {
    if (argument == kFlag || argument.starts_with(std::string(kFlag) + '=')) argument.insert(0, "-");
  }
  return arguments;
}

Error CheckPolicy(const Raw& raw, FailurePolicy* policy) {
  using OnUndeliverable = FailurePolicy::OnUndeliverable;
  static const std::map<std::string, OnUndeliverable> kPolicies{{"dead-letter", OnUndeliverable::kDeadLetter},
                                                                {"drop", OnUndeliverable::kDrop},
                                                                {"block", OnUndeliverable::kBlock}};
  policy->on_undeliverable = kPolicies.at(raw.on_undeliverable);
  policy->retry_delay_max = std::chrono::seconds(raw.retry_delay_max_s);
  if (policy->dead_letter_channel.empty()) return {};
  // As one that is published to.
  const std::string problem = CheckChannel(policy->dead_letter_channel, Direction::kIngress);
  if (problem.empty()) return {};
  return Error(Code::kInvalidArgument, "--dead-letter-channel \"" + policy->dead_letter_channel + "\" " + problem);
}

// CLI11 takes an empty variable for an absent one; here it means none, as off does.
void ChooseMetricsListen(const CLI::App& app, HostOptions* options) {
  const CLI::Option* option = app.get_option("--metrics-listen");
  const char* variable = std::getenv(option->get_envname().c_str());
  options->metrics_listen_chosen = !option->empty();
  const bool emptied = option->empty() && variable != nullptr && *variable == '\0';
  if (emptied || options->metrics_listen == "off") options->metrics_listen.clear();
}

// Seconds that fit into nanoseconds, as JetStream counts them.
constexpr int kSecondsMax = 10 * 365 * 24 * 3600;

void DefineJetStream(CLI::App* app, Raw* raw) {
  app->add_option(
         "--delivery", raw->delivery,
         "core: as the transport itself delivers; at-least-once: JetStream keeps what is published, and what is "
         "not acknowledged comes again. The --jetstream options are about the latter")
      ->type_name("MODE")
      ->envname("KPS_DELIVERY")
      ->check(CLI::IsMember({"core", "at-least-once"}).description(""))
      ->capture_default_str();
  app->add_option("--jetstream-create", raw->jetstream_create,
                  "yes: a channel that no JetStream stream holds gets one of its own; no: it is an error")
      ->type_name("ANSWER")
      ->envname("KPS_JETSTREAM_CREATE")
      ->check(CLI::IsMember({"yes", "no"}).description(""))
      ->capture_default_str();
  app->add_option("--jetstream-prefix", raw->jetstream.stream_prefix, "a new stream is named PREFIX-CHANNEL")
      ->type_name("PREFIX")
      ->envname("KPS_JETSTREAM_PREFIX")
      ->capture_default_str();
  app->add_option("--jetstream-storage", raw->jetstream_storage,
                  "where a new stream keeps its messages: file or memory")
      ->type_name("WHERE")
      ->envname("KPS_JETSTREAM_STORAGE")
      ->check(CLI::IsMember({"file", "memory"}).description(""))
      ->capture_default_str();
  app->add_option("--jetstream-replicas", raw->jetstream.replicas, "servers that keep a new stream")
      ->type_name("COUNT")
      ->envname("KPS_JETSTREAM_REPLICAS")
      ->check(CLI::Range(1, 5).description(""))
      ->capture_default_str();
  app->add_option("--jetstream-max-bytes", raw->jetstream.bytes_max,
                  "of a new stream; when they are used up, messages wait at their source. 0: the server's own limit")
      ->type_name("BYTES")
      ->envname("KPS_JETSTREAM_MAX_BYTES")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 60).description(""))
      ->capture_default_str();
  app->add_option("--jetstream-max-age", raw->jetstream_age_max_s,
                  "a new stream forgets messages after this, taken or not. 0: never")
      ->type_name("SECONDS")
      ->envname("KPS_JETSTREAM_MAX_AGE")
      ->check(CLI::Range(0, kSecondsMax).description(""))
      ->capture_default_str();
  app->add_option("--jetstream-duplicate-window", raw->jetstream_duplicate_window_s,
                  "for how long a new stream knows the ids of messages, so that it keeps none twice")
      ->type_name("SECONDS")
      ->envname("KPS_JETSTREAM_DUPLICATE_WINDOW")
      ->check(CLI::Range(1, kSecondsMax).description(""))
      ->capture_default_str();
  app->add_option("--jetstream-ack-wait", raw->jetstream_ack_wait_s,
                  "what a host that has gone had in hand comes to another one after this, if not at once")
      ->type_name("SECONDS")
      ->envname("KPS_JETSTREAM_ACK_WAIT")
      ->check(CLI::Range(1, 3600).description(""))
      ->capture_default_str();
}

void ChooseJetStream(const Raw& raw, HostOptions* options) {
  if (raw.delivery != "at-least-once") return;
  JetStreamOptions& chosen = options->jetstream.emplace(raw.jetstream);
  chosen.connector_id = options->connector_id;
  chosen.create_streams = raw.jetstream_create == "yes";
  chosen.memory_storage = raw.jetstream_storage == "memory";
  chosen.age_max = std::chrono::seconds(raw.jetstream_age_max_s);
  chosen.duplicate_window = std::chrono::seconds(raw.jetstream_duplicate_window_s);
  chosen.ack_wait = std::chrono::seconds(raw.jetstream_ack_wait_s);
}

void Define(CLI::App* app, Raw* raw, HostOptions* options) {
  app->add_option("--plugin", options->plugin, "the connector plugin to run")
      ->type_name("NAME or PATH.so")
      ->envname("KPS_PLUGIN");
  app->add_option("--plugin-path", raw->plugin_path, "directories in which plugins are looked for")
      ->type_name("DIR:DIR")
      ->envname("KPS_PLUGIN_PATH")
      ->default_str(kDefaultPluginPath);
  app->add_flag("--allow-writable-plugins", options->trust.writable_by_all,
                "also plugins that everybody may write to, or to whose directories, are loaded")
      ->envname("KPS_ALLOW_WRITABLE_PLUGINS");
  app->add_option(
         "--plugin-sums", options->trust.sums,
         "the plugins that may run, by SHA-256 and name of the file: as kps-connector plugin sums prints them, "
         "or sha256sum. Without: any")
      ->type_name("FILE")
      ->envname("KPS_PLUGIN_SUMS");
  app->add_flag("--watch", options->watch,
                "for development: when the plugin's file changes, its streams go over to the new version")
      ->envname("KPS_WATCH");
  app->add_option("--swap-timeout", options->swap_timeout_s,
                  "how long one step of a swap of the plugin may take: to try it, to move one stream. SIGHUP and "
                  "kps-connector plugin reload swap, too")
      ->type_name("SECONDS")
      ->envname("KPS_SWAP_TIMEOUT")
      ->check(CLI::Range(1, 3600).description(""))
      ->capture_default_str();
  app->add_flag("--no-unload", options->no_unload,
                "versions of the plugin stay mapped after a swap: for debuggers and sanitizers")
      ->envname("KPS_NO_UNLOAD");
  app->add_option("--static-param", raw->static_params,
                  "a static parameter (repeatable); VALUE is JSON, or else text. KPS_STATIC_PARAMETERS: an object")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  app->add_option("--connectorInstanceID", options->connector_id,
                  "id of this connector, which every call must name; empty accepts every id")
      ->type_name("ID")
      ->envname("CONNECTOR_INSTANCE_ID");
  app->add_option("--listen", options->listen, "address of the gRPC server; port 0 picks one and prints it")
      ->type_name("ADDR")
      ->envname("KPS_LISTEN")
      ->capture_default_str();
  app->add_option(
         "--transport", options->transport,
         "nats://HOST:PORT (several, also all of a cluster: separated by commas), or memory: within this process")
      ->type_name("URL")
      ->envname("NATS_BROKER")
      ->default_str("memory:");
  app->add_option("--transport-name", options->client_name, "name under which the host connects to the transport")
      ->type_name("NAME")
      ->envname("NATS_NAME")
      ->default_str("kps-connector-host");
  DefineJetStream(app, raw);
  app->add_option("--payloads", options->payloads,
                  "a SetPayloadRequest as protobuf JSON, applied at start: no platform is needed")
      ->type_name("FILE");
  app->add_option("--state-dir", options->state_dir,
                  "keeps streams, config and positions: a restarted host goes on by itself. Without: nothing is kept")
      ->type_name("DIR")
      ->envname("KPS_STATE_DIR");
  app->add_option(
         "--batch-max-messages", options->batch_messages_max,
         "messages of an ingress stream that may share an envelope, as far as they come at once. More than 1 "
         "takes less of everything, where those who read the channel take all payloads of an envelope; JetStream "
         "knows envelopes, so after a crash some messages may come twice")
      ->type_name("N")
      ->envname("KPS_BATCH_MAX_MESSAGES")
      ->check(CLI::Range(1, 10'000).description(""))
      ->capture_default_str();
  app->add_option("--drain-timeout", options->drain_timeout_s,
                  "how long a stop may take to bring home what is on its way")
      ->type_name("SECONDS")
      ->envname("KPS_DRAIN_TIMEOUT")
      ->check(CLI::Range(0, 3600).description(""))
      ->capture_default_str();
  app->add_option("--on-undeliverable", raw->on_undeliverable,
                  "what becomes of a message that can never be delivered: dead-letter, drop, or block its stream")
      ->type_name("POLICY")
      ->envname("KPS_ON_UNDELIVERABLE")
      ->check(CLI::IsMember({"dead-letter", "drop", "block"}).description(""))
      ->capture_default_str();
  app->add_option(
         "--dead-letter-channel", options->policy.dead_letter_channel,
         "where the dead letters of every stream go; by default that of the stream, followed by .dead; where it "
         "has a wildcard, dead. and what stands before that")
      ->type_name("CHANNEL")
      ->envname("KPS_DEAD_LETTER_CHANNEL");
  app->add_option("--attempts-max", options->policy.attempts_max,
                  "a message is undeliverable after so many attempts of this host to produce it that failed for a "
                  "while (a flush that fails is no such attempt); 0: it is tried for ever")
      ->type_name("N")
      ->envname("KPS_ATTEMPTS_MAX")
      ->capture_default_str();
  app->add_option("--retry-delay-max", raw->retry_delay_max_s,
                  "the longest wait between two attempts; the first is 0.1 s, and each about twice the one before")
      ->type_name("SECONDS")
      ->envname("KPS_RETRY_DELAY_MAX")
      ->check(CLI::Range(1, 3600).description(""))
      ->capture_default_str();
  app->add_option("--metrics-listen", options->metrics_listen,
                  "address of /metrics, /livez and /readyz (HTTP); port 0 picks one and prints it; off: none")
      ->type_name("ADDR")
      ->envname("KPS_METRICS_LISTEN")
      ->capture_default_str();
  app->add_option("--push-gateway", options->push_gateway,
                  "a Prometheus Pushgateway, HOST:PORT or http://HOST:PORT, that gets the transport's error counters")
      ->type_name("ADDR")
      ->envname("PUSH_GW");
  app->add_option("--log-level", raw->log_level, "debug, info, warn or error")
      ->type_name("LEVEL")
      ->envname("KPS_LOG_LEVEL")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}, CLI::ignore_case).description(""))
      ->capture_default_str();
  app->add_option("--log-format", raw->log_format, "text or json, one line each on stderr")
      ->type_name("FORMAT")
      ->envname("KPS_LOG_FORMAT")
      ->check(CLI::IsMember({"text", "json"}, CLI::ignore_case).description(""))
      ->capture_default_str();
}

}  // namespace

Result<ParsedOptions> ParseOptions(const std::vector<std::string>& arguments, const std::string& program) {
  ParsedOptions parsed;
  HostOptions& options = parsed.options;
  Raw raw;
  CLI::App app(
      "Runs a connector plugin: carries messages between a data service and a transport, under the control of\n"
      "the platform (connector.v1 over gRPC).",
      "kps-connector-host");
  app.footer(kFooter);
  app.set_version_flag("--version", kVersion);
  Define(&app, &raw, &options);
  app.add_flag("--probe", parsed.probe,
               "ask the host that listens on --listen whether it is ready, and exit with 0 or 1: a container's health "
               "check");
  bool help_markdown = false;
  app.add_flag("--help-markdown", help_markdown, "print this table as Markdown and exit");

  std::vector<std::string> reversed = WithTwoDashes(arguments);
  std::reverse(reversed.begin(), reversed.end());  // CLI11 takes them from the back
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    parsed.print = app.help();
    return parsed;
  } catch (const CLI::CallForVersion&) {
    parsed.print = std::string(kVersion) + "\n";
    return parsed;
  } catch (const CLI::ParseError& error) {
    return Error(Code::kInvalidArgument, std::string(error.what()) + ". See kps-connector-host --help");
  }
  if (help_markdown) {
    parsed.print = OptionTable(app);
    return parsed;
  }
  if (const char* json = std::getenv("KPS_STATIC_PARAMETERS")) raw.static_json = json;
  ChooseMetricsListen(app, &options);
  ChooseJetStream(raw, &options);
  auto static_json = MergeParameters(raw.static_json, "KPS_STATIC_PARAMETERS", raw.static_params);
  if (!static_json.ok()) return static_json.error();
  options.static_json = std::move(static_json.value());
  if (Error error = CheckPolicy(raw, &options.policy); !error.ok()) return error;

  options.plugin_path = raw.plugin_path.empty() ? DefaultPluginDirectories(program) : SplitSearchPath(raw.plugin_path);
  if (options.client_name.empty()) options.client_name = "kps-connector-host";
  static const std::map<std::string, LogLevel> kLevels{
      {"debug", LogLevel::kDebug}, {"info", LogLevel::kInfo}, {"warn", LogLevel::kWarn}, {"error", LogLevel::kError}};
  options.log_level = kLevels.at(CLI::detail::to_lower(raw.log_level));
  options.log_format = CLI::detail::to_lower(raw.log_format) == "json" ? LogFormat::kJson : LogFormat::kText;
  return parsed;
}

}  // namespace kps
