#include "tests/bench/bare.h"

#include <nats/nats.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "host/core/envelope.h"
#include "plugins/generator/payload.h"
#include "tests/support/eventually.h"

namespace kps::bench {
namespace {

using plugins::kHeaderBytes;
using std::chrono::steady_clock;

constexpr std::size_t kOpenBytesMax = 16 * 1024 * 1024;  // sent, not arrived
constexpr std::uint64_t kLookEvery = 32;                 // messages between looks at what has arrived
constexpr std::int64_t kFlushTimeoutMs = 20'000;
constexpr std::int64_t kWaitMs = 50;

void Check(natsStatus status, const char* what) {
  if (status != NATS_OK) throw std::runtime_error(std::string(what) + ": " + natsStatus_GetText(status));
}

class Connection {
 public:
  explicit Connection(const std::string& url, bool at_once = false) {
    natsOptions* options = nullptr;
    Check(natsOptions_Create(&options), "make options");
    const std::unique_ptr<natsOptions, decltype(&natsOptions_Destroy)> owned(options, natsOptions_Destroy);
    Check(natsOptions_SetURL(options, url.c_str()), "set the URL");
    Check(natsOptions_SetSendAsap(options, at_once), "send at once");
    Check(natsConnection_Connect(&handle_, options), "connect");
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { natsConnection_Destroy(handle_); }
  natsConnection* handle() const { return handle_; }

 private:
  natsConnection* handle_ = nullptr;
};

class Sender : public Side {
 public:
  Sender(const Load& load, Progress* progress, bool at_once = false)
      : load_(load), progress_(progress), connection_(load.url, at_once), payload_(load.payload_bytes, 'x') {
    open_max_ = std::max<std::uint64_t>(kLookEvery, kOpenBytesMax / load.payload_bytes);
  }

  void Run() override {
    progress_->Begin();
    for (std::uint64_t i = 0, count = 0; i < load_.messages; i += count) {
      count = std::min(load_.envelope_messages, load_.messages - i);
      if (count != payloads_.size()) MakeEnvelope(count);
      if (i % kLookEvery == 0) AwaitRoom(i);
      for (std::uint64_t n = 0; n < count; ++n) Number(i + n, envelope_.data() + payloads_[n]);
      Send(i, envelope_);
    }
    Settle();
    progress_->AwaitAll(load_);
  }

 protected:
  virtual void Send(std::uint64_t, const std::string& envelope) {
    Check(natsConnection_Publish(connection_.handle(), kChannel, envelope.data(), static_cast<int>(envelope.size())),
          "publish");
  }
  virtual void Settle() { Check(natsConnection_FlushTimeout(connection_.handle(), kFlushTimeoutMs), "flush"); }
  natsConnection* handle() const { return connection_.handle(); }
  virtual void Number(std::uint64_t sequence, char* payload) { plugins::store_le64(payload, sequence); }

  const Load load_;

 private:
  void MakeEnvelope(std::uint64_t count) {
    envelope_.clear();
    payloads_.clear();
    AppendEnvelope({payload_, 1}, &envelope_);
    payloads_.push_back(envelope_.size() - load_.payload_bytes);
    while (payloads_.size() < count) {
      AppendPayload(payload_, &envelope_);
      payloads_.push_back(envelope_.size() - load_.payload_bytes);
    }
  }
  void AwaitRoom(std::uint64_t sent) {
    if (sent <= progress_->arrived() + open_max_) return;
    const auto deadline = steady_clock::now() + load_.stalled_after;
    while (sent > progress_->arrived() + open_max_) {
      if (steady_clock::now() > deadline || progress_->sides_failed > 0) {
        throw std::runtime_error("the receiver stopped after " + std::to_string(progress_->arrived()) + " messages");
      }
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }

  Progress* const progress_;
  const Connection connection_;
  const std::string payload_;
  std::string envelope_;
  std::vector<std::size_t> payloads_;  // where they begin in it
  std::uint64_t open_max_ = 0;
};

class GeneratorSender : public Sender {
 public:
  using Sender::Sender;

 private:
  void Number(std::uint64_t sequence, char* payload) override {
    Sender::Number(sequence, payload);
    const std::size_t rest = load_.payload_bytes - kHeaderBytes;
    std::copy_n(pattern_.slice(sequence, rest), rest, payload + kHeaderBytes);
  }
  plugins::Pattern pattern_;
};

// The same clock as that of the generator.
std::int64_t SystemNowNs() { return std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

class PacedSender : public Sender {
 public:
  PacedSender(const Load& load, Progress* progress) : Sender(load, progress, true) {}

 private:
  void Number(std::uint64_t sequence, char* payload) override {
    const auto due = begin_ + std::chrono::nanoseconds(sequence * 1'000'000'000 / load_.messages_per_second);
    std::this_thread::sleep_until(due);
    Sender::Number(sequence, payload);
    plugins::store_le64(payload + sizeof(std::uint64_t), static_cast<std::uint64_t>(SystemNowNs()));
  }
  const steady_clock::time_point begin_ = steady_clock::now();
};

class JetStreamSender : public Sender {
 public:
  JetStreamSender(const Load& load, Progress* progress) : Sender(load, progress) {
    jsOptions options;
    jsOptions_Init(&options);
    options.PublishAsync.ErrHandler = OnRefused;
    options.PublishAsync.ErrHandlerClosure = &refused_;
    Check(natsConnection_JetStream(&jetstream_, handle(), &options), "JetStream");
  }
  ~JetStreamSender() override { jsCtx_Destroy(jetstream_); }

 private:
  static void OnRefused(jsCtx*, jsPubAckErr*, void* refused) { *static_cast<std::atomic<bool>*>(refused) = true; }

  void Send(std::uint64_t sequence, const std::string& envelope) override {
    const std::string id = "bench." + std::to_string(sequence);
    jsPubOptions options;
    jsPubOptions_Init(&options);
    options.MsgId = id.c_str();
    Check(js_PublishAsync(jetstream_, kChannel, envelope.data(), static_cast<int>(envelope.size()), &options),
          "publish");
  }
  void Settle() override {
    jsPubOptions options;
    jsPubOptions_Init(&options);
    options.MaxWait = kFlushTimeoutMs;
    Check(js_PublishAsyncComplete(jetstream_, &options), "wait for the confirms");
    if (refused_) throw std::runtime_error("the stream has refused a message");
  }

  jsCtx* jetstream_ = nullptr;
  std::atomic<bool> refused_{false};
};

class Receiver : public Side {
 public:
  Receiver(const Load& load, Progress* progress) : load_(load), progress_(progress), connection_(load.url) {}
  ~Receiver() override {
    natsConnection_Close(connection_.handle());  // libnats does not survive it while messages arrive
    natsSubscription_Destroy(subscription_);
  }

 protected:
  // After the subscription was made: the server knows it, and libnats drops nothing.
  void Settle() {
    Check(natsSubscription_SetPendingLimits(subscription_, -1, -1), "set the limits");
    Check(natsConnection_FlushTimeout(connection_.handle(), kFlushTimeoutMs), "flush");
  }
  void See(natsMsg* message) {
    const std::string_view envelope(natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message)));
    bool expected = envelope.size() >= load_.payload_bytes;
    if (load_.envelope_messages == 1) {
      // The payload ends it.
      expected = expected && SeePayload(envelope.substr(envelope.size() - load_.payload_bytes));
    } else {
      expected = expected && DecodeEnvelope(envelope, &payloads_).ok() && !payloads_.empty();
      for (const MessageView& payload : payloads_) expected = expected && SeePayload(payload.payload);
    }
    natsMsg_Destroy(message);
    if (expected) {
      progress_->Arrived(seen_, load_.messages);
    } else if (!disordered_.exchange(true)) {
      ++progress_->sides_failed;
    }
  }
  // False: it is not the next one.
  virtual bool SeePayload(std::string_view payload) {
    if (payload.size() != load_.payload_bytes || plugins::load_le64(payload.data()) != seen_) return false;
    ++seen_;
    return true;
  }
  void AwaitAll() const {
    try {
      progress_->AwaitAll(load_);
    } catch (const std::runtime_error&) {
      if (!disordered_) throw;  // or that is the reason
    }
    if (disordered_)
      throw std::runtime_error("after " + std::to_string(progress_->arrived()) +
                               " messages came one that was not the next");
  }

  const Load load_;
  Progress* const progress_;
  const Connection connection_;
  natsSubscription* subscription_ = nullptr;
  std::uint64_t seen_ = 0;             // of one thread
  std::vector<MessageView> payloads_;  // likewise
  std::atomic<bool> disordered_{false};
};

class SyncReceiver : public Receiver {
 public:
  SyncReceiver(const Load& load, Progress* progress) : Receiver(load, progress) {
    Check(natsConnection_SubscribeSync(&subscription_, connection_.handle(), kChannel), "subscribe");
    Settle();
  }
  void Run() override {
    auto deadline = steady_clock::now() + load_.stalled_after;
    while (seen_ < load_.messages && !disordered_ && progress_->sides_failed == 0 && steady_clock::now() < deadline) {
      natsMsg* message = nullptr;
      const natsStatus status = natsSubscription_NextMsg(&message, subscription_, kWaitMs);
      if (status == NATS_TIMEOUT) continue;
      Check(status, "next message");
      See(message);
      if (seen_ % 1024 == 0) deadline = steady_clock::now() + load_.stalled_after;
    }
    AwaitAll();
  }
};

class AsyncReceiver : public Receiver {
 public:
  AsyncReceiver(const Load& load, Progress* progress) : Receiver(load, progress) {
    Check(natsConnection_Subscribe(&subscription_, connection_.handle(), kChannel, OnMessage, this), "subscribe");
    Check(natsSubscription_SetOnCompleteCB(subscription_, OnComplete, &ended_), "set the callback");
    Settle();
  }
  ~AsyncReceiver() override {
    // The callback may be running until it is told to be over.
    if (natsSubscription_Unsubscribe(subscription_) == NATS_OK) test::Eventually([this] { return ended_.load(); });
  }
  void Run() override { AwaitAll(); }

 private:
  static void OnMessage(natsConnection*, natsSubscription*, natsMsg* message, void* self) {
    static_cast<AsyncReceiver*>(self)->See(message);
  }
  static void OnComplete(void* ended) { *static_cast<std::atomic<bool>*>(ended) = true; }

  std::atomic<bool> ended_{false};
};

class LatencyReceiver : public AsyncReceiver {
 public:
  LatencyReceiver(const Load& load, Progress* progress) : AsyncReceiver(load, progress) {}
  void Run() override {
    AsyncReceiver::Run();
    std::sort(latencies_ns_.begin(), latencies_ns_.end());
    progress_->latency_p50_ns = latencies_ns_[latencies_ns_.size() / 2];
    progress_->latency_p99_ns = latencies_ns_[latencies_ns_.size() * 99 / 100];
  }

 private:
  bool SeePayload(std::string_view payload) override {
    const auto sent_at = static_cast<std::int64_t>(plugins::load_le64(payload.data() + sizeof(std::uint64_t)));
    latencies_ns_.push_back(SystemNowNs() - sent_at);
    return AsyncReceiver::SeePayload(payload);
  }
  std::vector<std::int64_t> latencies_ns_;  // of libnats's thread, until all have arrived
};

}  // namespace

std::unique_ptr<Side> MakeBareSender(const Load& load, Progress* progress) {
  return std::make_unique<Sender>(load, progress);
}
std::unique_ptr<Side> MakeBareJetStreamSender(const Load& load, Progress* progress) {
  return std::make_unique<JetStreamSender>(load, progress);
}

void MakeStream(const std::string& url) {
  constexpr char kName[] = "bench";
  const Connection connection(url);
  jsCtx* jetstream = nullptr;
  Check(natsConnection_JetStream(&jetstream, connection.handle(), nullptr), "JetStream");
  const std::unique_ptr<jsCtx, decltype(&jsCtx_Destroy)> owned(jetstream, jsCtx_Destroy);
  (void)js_DeleteStream(jetstream, kName, nullptr, nullptr);  // of the last run
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  const char* subjects[] = {kChannel};
  config.Name = kName;
  config.Subjects = subjects;
  config.SubjectsLen = 1;
  config.Storage = js_FileStorage;
  Check(js_AddStream(nullptr, jetstream, &config, nullptr, nullptr), "make a stream");
}

std::unique_ptr<Side> MakeGeneratorSender(const Load& load, Progress* progress) {
  return std::make_unique<GeneratorSender>(load, progress);
}
std::unique_ptr<Side> MakeBarePacedSender(const Load& load, Progress* progress) {
  return std::make_unique<PacedSender>(load, progress);
}
std::unique_ptr<Side> MakeLatencyReceiver(const Load& load, Progress* progress) {
  return std::make_unique<LatencyReceiver>(load, progress);
}
std::unique_ptr<Side> MakeBareSyncReceiver(const Load& load, Progress* progress) {
  return std::make_unique<SyncReceiver>(load, progress);
}
std::unique_ptr<Side> MakeBareAsyncReceiver(const Load& load, Progress* progress) {
  return std::make_unique<AsyncReceiver>(load, progress);
}

}  // namespace kps::bench
