#include "tests/chaos/subscriber.h"

#include <nats/nats.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "host/core/envelope.h"
#include "plugins/generator/payload.h"
#include "tests/support/eventually.h"

namespace kps::chaos {
namespace {

constexpr std::int64_t kWaitMs = 50;

void Check(natsStatus status, const char* what) {
  if (status != NATS_OK) throw std::runtime_error(std::string(what) + ": " + natsStatus_GetText(status));
}

}  // namespace

struct Subscriber::Parts {
  natsConnection* connection = nullptr;
  natsSubscription* subscription = nullptr;
  jsCtx* jetstream = nullptr;  // null: core NATS
  std::string channel;
  NumberOf number_of;
  std::atomic<bool> stopping{false};
  std::thread thread;
  mutable std::mutex mutex;
  Counts counts;
  std::uint64_t sequence = 0;  // of what came last, in the JetStream stream
  std::vector<bool> seen;

  void See(std::uint64_t number) {
    const std::lock_guard<std::mutex> lock(mutex);
    ++counts.received;
    if (number >= seen.size()) seen.resize(std::max<std::size_t>(2 * seen.size(), number + 1));
    if (seen[number]) return;
    seen[number] = true;
    ++counts.distinct;
    if (number < counts.end) ++counts.disordered;
    counts.end = std::max(counts.end, number + 1);
  }

  void Note(natsMsg* message) {
    jsMsgMetaData* data = nullptr;
    if (natsMsg_GetMetaData(&data, message) != NATS_OK) return;
    const std::lock_guard<std::mutex> lock(mutex);
    sequence = data->Sequence.Stream;
    jsMsgMetaData_Destroy(data);
  }

  // False: there is no stream yet.
  bool SubscribeToStream() {
    jsSubOptions options;
    jsSubOptions_Init(&options);
    options.Ordered = true;
    if (js_SubscribeSync(&subscription, jetstream, channel.c_str(), nullptr, &options, nullptr) != NATS_OK)
      return false;
    return natsSubscription_SetPendingLimits(subscription, -1, -1) == NATS_OK;
  }

  void Run() {
    if (jetstream != nullptr) {
      while (!test::Eventually([&] { return stopping || SubscribeToStream(); })) {
      }
    }
    std::vector<MessageView> messages;
    while (!stopping) {
      natsMsg* message = nullptr;
      if (natsSubscription_NextMsg(&message, subscription, kWaitMs) != NATS_OK) continue;
      const std::string_view envelope(natsMsg_GetData(message),
                                      static_cast<std::size_t>(natsMsg_GetDataLength(message)));
      if (DecodeEnvelope(envelope, &messages).ok()) {
        for (const MessageView& each : messages) See(number_of(each.payload));
      }
      if (jetstream != nullptr) Note(message);
      natsMsg_Destroy(message);
    }
  }
};

std::uint64_t Subscriber::Generated(std::string_view payload) { return plugins::load_le64(payload.data()); }
std::uint64_t Subscriber::Line(std::string_view payload) { return std::stoull(std::string(payload)); }

Subscriber::Subscriber(const std::string& url, const std::string& channel, bool kept, NumberOf number_of)
    : parts_(std::make_unique<Parts>()) {
  parts_->number_of = std::move(number_of);
  parts_->channel = channel;
  Check(natsConnection_ConnectTo(&parts_->connection, url.c_str()), "connect");
  if (kept) {
    Check(natsConnection_JetStream(&parts_->jetstream, parts_->connection, nullptr), "JetStream");
  } else {
    Check(natsConnection_SubscribeSync(&parts_->subscription, parts_->connection, channel.c_str()), "subscribe");
    Check(natsSubscription_SetPendingLimits(parts_->subscription, -1, -1), "set the limits");
    Check(natsConnection_FlushTimeout(parts_->connection, std::chrono::milliseconds(test::kDeadline).count()), "flush");
  }
  parts_->thread = std::thread([this] { parts_->Run(); });
}

Subscriber::~Subscriber() {
  parts_->stopping = true;
  parts_->thread.join();
  natsConnection_Close(parts_->connection);  // libnats does not survive it while messages arrive
  natsSubscription_Destroy(parts_->subscription);
  jsCtx_Destroy(parts_->jetstream);
  natsConnection_Destroy(parts_->connection);
}

Subscriber::Counts Subscriber::Look() const {
  const std::lock_guard<std::mutex> lock(parts_->mutex);
  return parts_->counts;
}

void Subscriber::PurgeReceived(const std::string& stream) {
  jsOptions options;
  jsOptions_Init(&options);
  {
    const std::lock_guard<std::mutex> lock(parts_->mutex);
    options.Stream.Purge.Sequence = parts_->sequence + 1;  // the first that stays
  }
  Check(js_PurgeStream(parts_->jetstream, stream.c_str(), &options, nullptr), "purge");
}

bool Subscriber::Reaches(std::uint64_t end) const {
  return test::Eventually([&] { return Look().end >= end; });
}

}  // namespace kps::chaos
