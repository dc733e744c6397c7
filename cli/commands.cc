#include "cli/commands.h"

#include <google/protobuf/util/message_differencer.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <ostream>
#include <tuple>

#include "cli/client.h"
#include "cli/desired.h"
#include "cli/read_payloads.h"
#include "cli/render.h"
#include "connector/v1/connector.pb.h"
#include "kps/host/v1/plugin.pb.h"

namespace kps::cli {
namespace {

constexpr std::chrono::seconds kPollInterval{1};

ExitCode Fail(const Failure& failure, Context& context) {
  context.err << failure.text << std::endl;
  return failure.exit_code;
}

ExitCode Print(const Result<std::string>& text, Context& context) {
  if (!text.ok()) return Fail(text.failure(), context);
  context.out << text.value() << std::flush;
  return kExitOk;
}

std::string Counted(int count, const char* thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

// Where no option says which connector is meant, the files do.
void ChooseConnector(const v1::SetPayloadRequest& from_files, Context& context) {
  if (from_files.connector_id().empty() || from_files.connector_id() == context.connector_id) return;
  if (context.connector_id.empty()) {
    context.connector_id = from_files.connector_id();
  } else {
    context.err << "note: the files are for the connector \"" << Printable(from_files.connector_id())
                << "\"; sending to \"" << context.connector_id << "\", as asked" << std::endl;
  }
}

ExitCode Send(v1::SetPayloadRequest request, const Sources& sources, const std::string& done, Context& context) {
  request.set_connector_id(context.connector_id);
  ClearOutputOnly(&request);
  const auto response = context.client.Set(request, sources);
  if (!response.ok()) return Fail(response.failure(), context);
  if (context.output == Output::kJson) return Print(JsonLines(response.value()), context);
  return Print(done + "\n", context);
}

ExitCode Change(const StreamsSetArguments& arguments, Context& context) {
  v1::SetPayloadRequest added;
  Sources sources;
  if (!arguments.add_files.empty()) {
    auto read = ReadPayloads(arguments.add_files, context.in, &sources);
    if (!read.ok()) return Fail(read.failure(), context);
    added = std::move(read.value());
    if (StreamCount(added) == 0) return Fail({kExitUsage, "no stream in the files to add"}, context);
  }
  ChooseConnector(added, context);
  const auto current = context.client.GetStreams(context.connector_id);
  if (!current.ok()) return Fail(current.failure(), context);
  auto request = WithoutStreams(DesiredStreams(current.value()), arguments.remove_ids);
  if (!request.ok()) return Fail(request.failure(), context);
  AddOrReplace(added, &request.value());
  return Send(request.value(), sources, Counted(StreamCount(request.value()), "stream") + " set", context);
}

// An event's identity: the connector keeps the latest for each.
using EventKey = std::tuple<bool, std::string, std::string>;

EventKey KeyOf(const v1::EventPayload& event) {
  return event.has_alert() ? EventKey{true, event.alert().id(), event.alert().stream_id()}
                           : EventKey{false, event.status().id(), event.status().stream_id()};
}

// Waits out the interval, or less when a stop comes.
void WaitForPoll(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, kPollInterval, [] { return false; });
}

// What to print of each poll: nothing twice.
class EventLog {
 public:
  explicit EventLog(Context& context) : context_(context), table_(EventsTable(0)) {}

  ExitCode PrintNews(const v1::GetEventsResponse& response) {
    std::map<EventKey, v1::EventPayload> latest;
    std::vector<const v1::EventPayload*> news;
    for (const v1::EventPayload& event : response.event_payloads()) {
      const auto seen = seen_.find(KeyOf(event));
      using google::protobuf::util::MessageDifferencer;
      if (seen == seen_.end() || !MessageDifferencer::Equals(seen->second, event)) news.push_back(&event);
      latest[KeyOf(event)] = event;
    }
    seen_.swap(latest);  // an event that went away is new when it comes back
    if (context_.output == Output::kTable) {
      std::vector<std::vector<std::string>> rows;
      rows.reserve(news.size());
      for (const v1::EventPayload* event : news) rows.push_back(EventRow(*event));
      return Print(table_.Print(rows), context_);
    }
    for (const v1::EventPayload* event : news) {
      if (const ExitCode code = Print(JsonLine(*event), context_); code != kExitOk) return code;
    }
    return kExitOk;
  }

 private:
  Context& context_;
  Table table_;
  std::map<EventKey, v1::EventPayload> seen_;
};

}  // namespace

ExitCode StreamsSet(const StreamsSetArguments& arguments, Context& context) {
  const bool changes = !arguments.add_files.empty() || !arguments.remove_ids.empty();
  const int ways = (arguments.files.empty() ? 0 : 1) + (changes ? 1 : 0) + (arguments.none ? 1 : 0);
  if (ways > 1) {
    return Fail({kExitUsage, "files alone, --add and --remove, and --none are three ways to say it: choose one"},
                context);
  }
  if (ways == 0) {
    return Fail({kExitUsage, "no files: name those that hold the whole desired set; --none stops every stream"},
                context);
  }
  if (changes) return Change(arguments, context);
  if (arguments.none) return Send({}, {}, "no streams set: every stream is stopped", context);

  Sources sources;
  const auto request = ReadPayloads(arguments.files, context.in, &sources);
  if (!request.ok()) return Fail(request.failure(), context);
  if (StreamCount(request.value()) == 0) {
    return Fail({kExitUsage,
                 "no stream in the files, and that would stop every stream: --none does it on purpose, "
                 "config set changes the config alone"},
                context);
  }
  ChooseConnector(request.value(), context);
  return Send(request.value(), sources, Counted(StreamCount(request.value()), "stream") + " set", context);
}

ExitCode StreamsGet(Context& context) {
  const auto response = context.client.GetStreams(context.connector_id);
  if (!response.ok()) return Fail(response.failure(), context);
  if (context.output == Output::kJson) return Print(JsonLines(response.value()), context);
  return Print(StreamsTable(response.value(), context.row_width_max), context);
}

ExitCode ConfigSet(const std::vector<std::string>& assignments_or_files, Context& context) {
  v1::SetPayloadRequest config;
  Sources sources;
  for (const std::string& argument : assignments_or_files) {
    if (argument.find('=') != std::string::npos) {
      const auto assignment = ParseAssignment(argument);
      if (!assignment.ok()) return Fail(assignment.failure(), context);
      MergeConfig(assignment.value(), &config);
      continue;
    }
    Sources of_argument;
    const auto read = ReadPayloads({argument}, context.in, &of_argument);
    if (!read.ok()) return Fail(read.failure(), context);
    sources.config += (sources.config.empty() ? "" : ", ") + of_argument.config;
    if (StreamCount(read.value()) > 0) {
      return Fail({kExitUsage, argument + ": has streams, and config set changes none: use streams set"}, context);
    }
    ChooseConnector(read.value(), context);
    AddOrReplace(read.value(), &config);
  }
  if (config.payloads().empty()) {
    return Fail({kExitUsage, "no config: name KEY=VALUE pairs, or a file with a config in it"}, context);
  }
  // SetPayload names the whole desired state: streams that it leaves out would stop.
  const auto current = context.client.GetStreams(context.connector_id);
  if (!current.ok()) return Fail(current.failure(), context);
  v1::SetPayloadRequest request = DesiredStreams(current.value());
  const std::string kept = Counted(StreamCount(request), "stream");
  AddOrReplace(config, &request);
  return Send(request, sources, "config set; " + kept + " kept", context);
}

ExitCode ConfigGet(Context& context) {
  const auto response = context.client.GetConfig(context.connector_id);
  if (!response.ok()) return Fail(response.failure(), context);
  if (context.output == Output::kJson) return Print(JsonLines(response.value()), context);
  return Print(ConfigTable(response.value(), context.row_width_max), context);
}

ExitCode Events(Context& context) {
  const auto response = context.client.GetEvents(context.connector_id);
  if (!response.ok()) return Fail(response.failure(), context);
  if (context.output == Output::kJson) return Print(JsonLines(response.value()), context);
  return EventLog(context).PrintNews(response.value());
}

ExitCode FollowEvents(Context& context, const std::stop_token& stop) {
  EventLog log(context);
  bool answered_before = false;
  bool away = false;
  while (!stop.stop_requested()) {
    const auto response = context.client.GetEvents(context.connector_id, stop);
    if (stop.stop_requested()) break;
    if (response.ok()) {
      if (away) context.err << "connected again" << std::endl;
      answered_before = true;
      away = false;
      if (const ExitCode code = log.PrintNews(response.value()); code != kExitOk) return code;
      if (!context.out) return kExitUsage;  // nobody reads any more
    } else if (response.failure().exit_code != kExitUnreachable || !answered_before) {
      return Fail(response.failure(), context);
    } else if (!away) {
      away = true;
      context.err << response.failure().text << "\nstill following" << std::endl;
    }
    WaitForPoll(stop);
  }
  return kExitOk;
}

ExitCode PluginStatus(Context& context) {
  const auto status = context.client.GetPluginStatus();
  if (!status.ok()) return Fail(status.failure(), context);
  if (context.output == Output::kJson) return Print(JsonLines(status.value()), context);
  return Print(PluginTable(status.value(), context.row_width_max), context);
}

ExitCode PluginReload(Context& context) {
  const auto response = context.client.ReloadPlugin();
  if (!response.ok()) return Fail(response.failure(), context);
  if (context.output == Output::kJson) return Print(JsonLines(response.value()), context);
  return Print(Printable(response.value().outcome()) + "\n", context);
}

ExitCode Health(Context& context) {
  const auto health = context.client.GetHealth();
  if (!health.ok()) return Fail(health.failure(), context);
  context.out << health.value() << std::endl;
  return health.value() == "SERVING" ? kExitOk : kExitRefused;
}

}  // namespace kps::cli
