#include "jetstream_producer.h"

#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

#include "jetstream_api.h"

namespace kps::plugins {
namespace {

using plugin::Failure;

// A stream that takes longer has lost what was published.
constexpr std::chrono::seconds kAnswerMax{5};

std::string_view payload_of(const NatsMessage& message) {
  return {natsMsg_GetData(message.get()), static_cast<size_t>(natsMsg_GetDataLength(message.get()))};
}

// {"stream":"S", "seq":12}: what nearly every answer looks like needs no parser.
bool is_plain_yes(std::string_view text) {
  return text.starts_with("{\"stream\":") && text.find("\"seq\":") != text.npos && text.find("\"error\"") == text.npos;
}

}  // namespace

JetStreamProducer::JetStreamProducer(const plugin::Stream& stream, NatsEgressSettings settings)
    : NatsProducer(stream, std::move(settings)) {
  client_.start();
}

JetStreamProducer::~JetStreamProducer() { stop(); }

void JetStreamProducer::begin(NatsConnection& connection) {
  const std::string doing = "publish to " + where();
  const std::string stream = find_stream(connection, settings_.subject, doing);
  const rapidjson::Document info = ask_jetstream(connection, "STREAM.INFO." + stream, "", doing);
  const rapidjson::Value& config = object_of(info, "config");
  if (config.HasMember("no_ack") && config["no_ack"].IsTrue()) {
    throw Failure(KPS_FAILED_PRECONDITION, doing + ": the stream " + stream + " confirms nothing (no_ack)");
  }
  message_max_ = number_of(config, "max_msg_size");  // -1: none
  const std::string inbox = new_inbox();
  connection.subscribe(inbox + ".*", "", [this, &connection](std::vector<NatsMessage>& came) {
    if (came.empty()) {
      connection.fail(Failure(KPS_UNAVAILABLE, "no JetStream stream answers at " + where()));
      return;
    }
    const std::lock_guard lock(mutex_);
    for (NatsMessage& message : came) answers_.push_back(std::move(message));
  });
  const std::lock_guard lock(mutex_);
  inbox_ = inbox + ".";
}

const char* JetStreamProducer::reply_of(uint64_t number) {
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  reply_.resize(reply_.find_last_of('.') + 1);
  reply_.append(digits, end);
  return reply_.c_str();
}

void JetStreamProducer::collect(NatsConnection& connection) {
  {
    const std::lock_guard lock(mutex_);
    std::swap(reading_, answers_);
    if (reply_.compare(0, inbox_.size(), inbox_) != 0) reply_ = inbox_;
  }
  for (const NatsMessage& message : reading_) read_answer(message);
  if (!reading_.empty() || unconfirmed_.empty()) last_answer_ = Clock::now();
  reading_.clear();
  if (refused_) {
    // All that is not confirmed is published again, once the oldest of it is taken.
    probing_ = true;
    publish_from(unconfirmed_.first());
    const Failure failure = *std::exchange(refused_, std::nullopt);
    throw failure;
  }
  check_answered(connection);
}

void JetStreamProducer::check_answered(NatsConnection& connection) {
  if (unconfirmed_.empty() || Clock::now() - last_answer_ < kAnswerMax) return;
  last_answer_ = Clock::now();
  const Failure failure(KPS_UNAVAILABLE, "the JetStream stream does not answer at " + where());
  connection.fail(failure);
  throw failure;
}

void JetStreamProducer::read_answer(const NatsMessage& message) {
  const std::string_view subject = natsMsg_GetSubject(message.get());
  uint64_t number = 0;
  const size_t dot = subject.rfind('.');
  std::from_chars(subject.data() + dot + 1, subject.data() + subject.size(), number);
  const std::string_view text = payload_of(message);
  if (is_plain_yes(text)) {
    if (number == unconfirmed_.first()) probing_ = false;
    unconfirmed_.confirm(number);
    return;
  }
  // The first tells. What was on its way with it and is refused, too, is published again anyway.
  if (refused_ || (probing_ && number != unconfirmed_.first())) return;
  rapidjson::Document answer;
  answer.Parse(text.data(), text.size());
  const bool object = !answer.HasParseError() && answer.IsObject();
  const std::string doing = "publish to " + where();
  refused_ = object && answer.HasMember("error")
                 ? failure_of(answer["error"], doing)
                 : Failure(KPS_UNAVAILABLE, doing + ": the answer is none of JetStream");
}

size_t JetStreamProducer::payload_max(NatsConnection& connection) {
  const size_t server = connection.payload_max();
  const uint64_t stream = message_max_;
  return stream > 0 && stream < server ? static_cast<size_t>(stream) : server;
}

}  // namespace kps::plugins
