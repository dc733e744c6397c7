#include "jetstream_binding.h"

#include <algorithm>

#include "jetstream_api.h"

namespace kps::plugins {
namespace {

using plugin::Failure;
using std::chrono::nanoseconds;

constexpr std::chrono::seconds kAckWait{30};
constexpr int kAckPendingMax = 10000;

std::string consumer_request(const NatsIngressSettings& settings, const JetStreamBinding& bound,
                             const JetStreamPlace& place) {
  rapidjson::Document request(rapidjson::kObjectType);
  auto& memory = request.GetAllocator();
  const auto text = [&memory](const std::string& value) { return rapidjson::Value(value.c_str(), memory); };
  rapidjson::Value config(rapidjson::kObjectType);
  config.AddMember("durable_name", text(settings.durable), memory);
  config.AddMember("ack_policy", "explicit", memory);
  config.AddMember("replay_policy", "instant", memory);
  config.AddMember("filter_subject", text(settings.subject), memory);
  config.AddMember("ack_wait", static_cast<int64_t>(nanoseconds(kAckWait).count()), memory);
  // No limit on deliveries: what the server gives up on would be lost without a word.
  config.AddMember("max_deliver", -1, memory);
  config.AddMember("max_ack_pending", kAckPendingMax, memory);
  if (place.last_read > 0 && place.stream_created == bound.stream_created) {
    config.AddMember("deliver_policy", "by_start_sequence", memory);
    config.AddMember("opt_start_seq", place.last_read + 1, memory);
  } else {
    const bool fresh = settings.from_new && place.last_read == 0;
    config.AddMember("deliver_policy", rapidjson::StringRef(fresh ? "new" : "all"), memory);
  }
  request.AddMember("stream_name", text(bound.stream), memory);
  request.AddMember("config", config, memory);
  return to_json(request);
}

// Why the consumer cannot be used, and what to do; empty: it can.
std::string why_unusable(const NatsIngressSettings& settings, const std::vector<std::string>& subjects,
                         const rapidjson::Value& config) {
  if (!text_of(config, "deliver_subject").empty()) return "it is one that pushes; set another \"durable\"";
  if (const std::string policy = text_of(config, "ack_policy"); policy != "explicit") {
    return "its ack policy is " + policy + ", and has to be explicit; set another \"durable\"";
  }
  const std::string filter = text_of(config, "filter_subject");
  const bool whole = filter.empty() && subjects.size() == 1 && subjects[0] == settings.subject;
  if (filter != settings.subject && !whole) {
    return "it reads " + (filter.empty() ? std::string("the whole stream") : "the subject " + filter) + ", and not " +
           settings.subject + "; set another \"durable\", or remove it";
  }
  if (config.HasMember("max_deliver") && config["max_deliver"].IsInt64() && config["max_deliver"].GetInt64() > 0) {
    return "its max_deliver is " + std::to_string(config["max_deliver"].GetInt64()) +
           ", and what was delivered so often without success would be lost; set that to -1";
  }
  if (config.HasMember("headers_only") && config["headers_only"].IsTrue()) {
    return "its headers_only is true, and messages would come empty; set another \"durable\"";
  }
  return {};
}

rapidjson::Document find_consumer(NatsConnection& connection, const NatsIngressSettings& settings,
                                  const JetStreamPlace& place, const std::string& doing, JetStreamBinding* bound) {
  try {
    return ask_jetstream(connection, "CONSUMER.INFO." + bound->stream + "." + settings.durable, "", doing);
  } catch (const Failure& failure) {
    if (failure.code() != KPS_NOT_FOUND) throw;
  }
  bound->consumer_made = true;
  return ask_jetstream(connection, "CONSUMER.DURABLE.CREATE." + bound->stream + "." + settings.durable,
                       consumer_request(settings, *bound, place), doing);
}

}  // namespace

JetStreamBinding bind_jetstream(NatsConnection& connection, const NatsIngressSettings& settings,
                                const JetStreamPlace& place) {
  const std::string at = settings.subject + " at " + settings.broker.shown;
  JetStreamBinding bound;
  bound.stream = settings.stream.empty() ? find_stream(connection, settings.subject, "read " + at) : settings.stream;
  const rapidjson::Document stream =
      ask_jetstream(connection, "STREAM.INFO." + bound.stream, "", "read " + at + ": stream " + bound.stream);
  bound.stream_created = text_of(stream, "created");
  const std::string doing = "read " + at + ": consumer " + settings.durable + " of stream " + bound.stream;
  const rapidjson::Document info = find_consumer(connection, settings, place, doing, &bound);
  const rapidjson::Value& config = object_of(info, "config");
  const std::string why = why_unusable(settings, texts_of(object_of(stream, "config"), "subjects"), config);
  if (!why.empty()) throw Failure(KPS_FAILED_PRECONDITION, doing + ": " + why);
  bound.ack_wait = std::chrono::duration_cast<std::chrono::milliseconds>(
      nanoseconds(static_cast<int64_t>(number_of(config, "ack_wait"))));
  bound.batch_max = number_of(config, "max_batch");
  bound.bytes_max = number_of(config, "max_bytes");
  bound.expires_max_ns = number_of(config, "max_expires");
  bound.floor = number_of(object_of(info, "ack_floor"), "stream_seq");
  bound.delivered = number_of(object_of(info, "delivered"), "stream_seq");
  bound.deliveries = number_of(object_of(info, "delivered"), "consumer_seq");
  bound.unacknowledged = number_of(info, "num_ack_pending");
  bound.waiting = number_of(info, "num_waiting");
  return bound;
}

}  // namespace kps::plugins
