#include "tests/bench/bare.h"

#include <nats/nats.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

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
  explicit Connection(const std::string& url) { Check(natsConnection_ConnectTo(&handle_, url.c_str()), "connect"); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { natsConnection_Destroy(handle_); }
  natsConnection* handle() const { return handle_; }

 private:
  natsConnection* handle_ = nullptr;
};

class Sender : public Side {
 public:
  Sender(const Load& load, Progress* progress)
      : load_(load), progress_(progress), connection_(load.url), payload_(load.payload_bytes, 'x') {
    AppendEnvelope({payload_, 1}, &envelope_);
    open_max_ = std::max<std::uint64_t>(kLookEvery, kOpenBytesMax / load.payload_bytes);
  }

  void Run() override {
    progress_->Begin();
    for (std::uint64_t i = 0; i < load_.messages; ++i) {
      if (i % kLookEvery == 0) AwaitRoom(i);
      Number(i);
      Send(i, envelope_);
    }
    Settle();
    progress_->AwaitAll(load_);
  }

 protected:
  // The payload ends the envelope.
  char* payload_in_envelope() { return envelope_.data() + envelope_.size() - load_.payload_bytes; }
  virtual void Send(std::uint64_t, const std::string& envelope) {
    Check(natsConnection_Publish(connection_.handle(), kChannel, envelope.data(), static_cast<int>(envelope.size())),
          "publish");
  }
  virtual void Settle() { Check(natsConnection_FlushTimeout(connection_.handle(), kFlushTimeoutMs), "flush"); }
  natsConnection* handle() const { return connection_.handle(); }
  virtual void Number(std::uint64_t sequence) { plugins::store_le64(payload_in_envelope(), sequence); }

  const Load load_;

 private:
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
  std::uint64_t open_max_ = 0;
};

class GeneratorSender : public Sender {
 public:
  using Sender::Sender;

 private:
  void Number(std::uint64_t sequence) override {
    Sender::Number(sequence);
    const std::size_t rest = load_.payload_bytes - kHeaderBytes;
    std::copy_n(pattern_.slice(sequence, rest), rest, payload_in_envelope() + kHeaderBytes);
  }
  plugins::Pattern pattern_;
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
    const auto bytes = static_cast<std::size_t>(natsMsg_GetDataLength(message));
    const bool expected = bytes >= load_.payload_bytes &&
                          plugins::load_le64(natsMsg_GetData(message) + bytes - load_.payload_bytes) == seen_;
    natsMsg_Destroy(message);
    if (expected) {
      progress_->Arrived(++seen_, load_.messages);
    } else if (!disordered_.exchange(true)) {
      ++progress_->sides_failed;
    }
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
  std::uint64_t seen_ = 0;  // of one thread
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
std::unique_ptr<Side> MakeBareSyncReceiver(const Load& load, Progress* progress) {
  return std::make_unique<SyncReceiver>(load, progress);
}
std::unique_ptr<Side> MakeBareAsyncReceiver(const Load& load, Progress* progress) {
  return std::make_unique<AsyncReceiver>(load, progress);
}

}  // namespace kps::bench
