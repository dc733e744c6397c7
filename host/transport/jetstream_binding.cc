#include "host/transport/jetstream_binding.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

#include "host/core/json.h"
#include "host/transport/jetstream_names.h"

namespace kps {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// Of one request. A server that is well answers in a few milliseconds; one that makes files may take longer.
constexpr milliseconds kAnswerWait{2000};
constexpr char kApi[] = "$JS.API.";

Error Unavailable(const std::string& what, const std::string& reason) {
  return Error(Code::kUnavailable, "JetStream: " + what + ": " + reason);
}

std::string Member(const JsonMembers& members, const std::string& key) {
  const auto found = members.find(key);
  return found == members.end() ? "" : found->second;
}

std::string StringMember(const JsonMembers& members, const std::string& key) {
  return JsonStringValue(Member(members, key)).value_or("");
}

std::int64_t NumberMember(const JsonMembers& members, const std::string& key) {
  const std::string text = Member(members, key);
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

JsonMembers ObjectMember(const JsonMembers& members, const std::string& key) {
  auto object = ParseJsonObject(Member(members, key));
  return object.ok() ? std::move(object.value()) : JsonMembers{};
}

// The members of the answer. NOT_FOUND: the server says that it is not there. UNAVAILABLE: any other reason.
Result<JsonMembers> Ask(NatsLink& link, const std::string& call, const std::string& what, const JsonMembers& request) {
  const auto answer = link.Request(kApi + call, request.empty() ? "" : ToJson(request), kAnswerWait);
  if (!answer.ok() && answer.error().code() == Code::kNotFound) {
    return Unavailable(what, "it is not enabled on this NATS server: start the server with it, or use --delivery core");
  }
  if (!answer.ok()) {
    return Unavailable(what, answer.error().message() +
                                 " in time: either the server is busy, or this user may not publish to $JS.API.> and "
                                 "subscribe to _INBOX.>");
  }
  auto members = ParseJsonObject(answer.value());
  if (!members.ok()) return Unavailable(what, "cannot read the answer: " + members.error().message());
  if (Member(members.value(), "error").empty()) return members;
  const JsonMembers error = ObjectMember(members.value(), "error");
  const std::string text = StringMember(error, "description") + " (" + Member(error, "err_code") + ")";
  return NumberMember(error, "code") == 404 ? Error(Code::kNotFound, text) : Unavailable(what, text);
}

std::string DescribeDurability(const std::string& name, const JsonMembers& config) {
  const std::int64_t replicas = NumberMember(config, "num_replicas");
  const bool memory = StringMember(config, "storage") == "memory";
  std::string text = "JetStream stream " + name + ", " + (memory ? "memory" : "file") + " storage, " +
                     std::to_string(replicas) + (replicas == 1 ? " replica" : " replicas") +
                     ": what is confirmed survives ";
  if (replicas > 1) {
    text += "the loss of " + std::to_string((replicas - 1) / 2) + " of the " + std::to_string(replicas) +
            " servers that have it";
    return text + (memory ? ", but not a stop of all of them" : ", also of their disks");
  }
  if (memory) return text + "a crash of this host, but no stop of the NATS server";
  return text +
         "crashes of this host and of the NATS server, but not the loss of the server's disk; a power failure there "
         "may take what it had not synced yet";
}

Result<StreamBinding> DescribeStream(const std::string& channel, const JsonMembers& info) {
  const JsonMembers config = ObjectMember(info, "config");
  const std::string name = StringMember(config, "name");
  const auto subjects = JsonStrings(Member(config, "subjects"));
  const std::string what = "channel " + channel;
  const auto covers = [&](const std::string& subject) { return SubjectCovers(subject, channel); };
  if (std::none_of(subjects.begin(), subjects.end(), covers)) {
    return Unavailable(what, "the stream " + name +
                                 " holds only a part of it, and one stream must hold all of it: add it "
                                 "to the stream's subjects");
  }
  if (Member(config, "no_ack") == "true") {
    return Unavailable(what, "the stream " + name + " confirms nothing (no_ack): change it, or use --delivery core");
  }
  return StreamBinding{name, StringMember(info, "created"), DescribeDurability(name, config)};
}

Result<JsonMembers> CreateStream(NatsLink& link, const JetStreamOptions& options, const std::string& channel) {
  const std::string name = JetStreamStreamName(options.stream_prefix, channel);
  const auto ns = [](auto duration) { return std::to_string(nanoseconds(duration).count()); };
  // The server wants a window that is not longer than the age.
  const auto window =
      options.age_max.count() > 0 ? std::min(options.duplicate_window, options.age_max) : options.duplicate_window;
  const JsonMembers config{
      {"name", JsonString(name)},
      {"subjects", "[" + JsonString(channel) + "]"},
      {"retention", "\"limits\""},
      {"discard", "\"new\""},
      {"storage", options.memory_storage ? "\"memory\"" : "\"file\""},
      {"num_replicas", std::to_string(options.replicas)},
      {"max_consumers", "-1"},
      {"max_msgs", "-1"},
      {"max_bytes", std::to_string(options.bytes_max == 0 ? -1 : options.bytes_max)},
      {"max_age", ns(options.age_max)},
      {"duplicate_window", ns(window)},
  };
  return Ask(link, "STREAM.CREATE." + name, "cannot create the stream " + name + " for channel " + channel, config);
}

// Why the consumer would lose messages, and what to do; empty: it does not.
std::string WhyUnusable(const std::string& channel, const JsonMembers& config) {
  if (!StringMember(config, "deliver_subject").empty() || StringMember(config, "ack_policy") != "explicit" ||
      StringMember(config, "filter_subject") != channel) {
    return "it is not one of this host (pulled, explicit acks, filter " + channel + "): remove it";
  }
  if (const std::int64_t deliveries = NumberMember(config, "max_deliver"); deliveries > 0) {
    return "its max_deliver is " + std::to_string(deliveries) +
           ", and what was delivered so often without success would be lost: set max_deliver to -1";
  }
  if (Member(config, "headers_only") == "true") {
    return "its headers_only is true, so that messages come without their contents: set headers_only to false";
  }
  return {};
}

}  // namespace

Result<StreamBinding> BindStream(NatsLink& link, const JetStreamOptions& options, const std::string& channel) {
  const std::string what = "cannot find the stream of channel " + channel;
  const auto names = Ask(link, "STREAM.NAMES", what, {{"subject", JsonString(channel)}});
  if (!names.ok()) return names.error();
  const auto found = JsonStrings(Member(names.value(), "streams"));
  if (found.size() > 1) {
    std::string list = found[0];
    for (std::size_t i = 1; i < found.size(); ++i) list += ", " + found[i];
    return Unavailable(what, "it is spread over several streams (" + list + "), and one must hold all of it");
  }
  if (found.empty() && !options.create_streams) {
    return Unavailable(what, "there is none, and this host may not create one (--jetstream-create)");
  }
  auto info = found.empty() ? CreateStream(link, options, channel) : Ask(link, "STREAM.INFO." + found[0], what, {});
  if (!info.ok())
    return info.error().code() == Code::kNotFound ? Unavailable(what, info.error().message()) : info.error();
  return DescribeStream(channel, info.value());
}

Result<ConsumerBinding> BindConsumer(NatsLink& link, const JetStreamOptions& options, const std::string& stream,
                                     const std::string& channel, const std::string& name) {
  const std::string what = "cannot use the consumer " + name + " of stream " + stream;
  const std::string ack_wait = std::to_string(nanoseconds(options.ack_wait).count());
  const auto set = [&](const JsonMembers& config) {
    return Ask(link, "CONSUMER.DURABLE.CREATE." + stream + "." + name, what,
               {{"stream_name", JsonString(stream)}, {"config", ToJson(config)}});
  };
  auto info = Ask(link, "CONSUMER.INFO." + stream + "." + name, what, {});
  const bool make = !info.ok() && info.error().code() == Code::kNotFound;
  if (make) {
    // No limit on deliveries: what the server gives up on would be lost without a word. Core counts the attempts.
    const JsonMembers config{
        {"durable_name", JsonString(name)},
        {"ack_policy", "\"explicit\""},
        {"deliver_policy", "\"all\""},
        {"replay_policy", "\"instant\""},
        {"filter_subject", JsonString(channel)},
        {"ack_wait", ack_wait},
        {"max_deliver", "-1"},
        {"max_ack_pending", std::to_string(options.pending_messages_max)},
    };
    info = set(config);
  }
  if (!info.ok())
    return info.error().code() == Code::kNotFound ? Unavailable(what, info.error().message()) : info.error();
  JsonMembers config = ObjectMember(info.value(), "config");
  if (const std::string why = WhyUnusable(channel, config); !why.empty()) return Unavailable(what, why);
  if (Member(config, "ack_wait") != ack_wait) {  // the option was changed
    JsonMembers wanted = config;
    wanted["ack_wait"] = ack_wait;
    // A user who may not change it goes on with what it has.
    if (const auto changed = set(wanted); changed.ok()) config = ObjectMember(changed.value(), "config");
  }
  const JsonMembers delivered = ObjectMember(info.value(), "delivered");
  const auto count = [](const JsonMembers& members, const char* key) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(NumberMember(members, key), 0));
  };
  ConsumerBinding bound;
  bound.made = make;
  bound.ack_wait = std::chrono::duration_cast<milliseconds>(nanoseconds(NumberMember(config, "ack_wait")));
  bound.ack_pending = count(info.value(), "num_ack_pending");
  const JsonMembers floor = ObjectMember(info.value(), "ack_floor");
  bound.floor = count(floor, "stream_seq");
  bound.deliveries_to_floor = count(floor, "consumer_seq");
  bound.requests_waiting = count(info.value(), "num_waiting");
  bound.delivered = count(delivered, "stream_seq");
  bound.deliveries = count(delivered, "consumer_seq");
  bound.limits = {NumberMember(config, "max_batch"), NumberMember(config, "max_bytes"),
                  nanoseconds(NumberMember(config, "max_expires"))};
  return bound;
}

}  // namespace kps
