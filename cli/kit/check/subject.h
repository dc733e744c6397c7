// A plugin under examination: its table is called as a host would, every answer is judged, and what an exception, a
// crash or a hang is in can be told.
#pragma once

#include <kps/plugin.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/kit/check/check_host.h"
#include "cli/kit/check/findings.h"

namespace kps::cli {

// Which parameters were made up from the schemas. What refuses them breaks no rule.
enum MadeUp : std::uint32_t {
  kMadeUpConnector = 1,
  kMadeUpIngress = 2,
  kMadeUpEgress = 4,
};

// JSON objects. Of the streams: their metadata; empty: the plugin has no such direction.
struct CheckParameters {
  std::string file;
  std::string static_json;
  std::string config_json;
  std::string ingress_json;
  std::string egress_json;
  std::uint32_t made_up = 0;  // of MadeUp
};

// Thrown to end an examination of which everything was told.
struct ExaminationEnded {};

struct CallResult {
  kps_code code = KPS_OK;
  std::string text;
  std::chrono::milliseconds took{0};

  bool ok() const { return code == KPS_OK; }
  bool transient() const;
  std::string ToString() const;  // "UNAVAILABLE: no broker"
};

// Any thread, but for SetGuarded.
class Subject {
 public:
  // What a call may take beyond its timeout.
  static constexpr std::chrono::milliseconds kGrace{50};

  // The table and `findings` outlive it; `unload` lets go of the library.
  Subject(const kps_plugin* table, CheckParameters parameters, std::function<bool()> unload, Findings* findings);
  ~Subject();
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  const kps_plugin& table() const { return *table_; }
  const CheckParameters& parameters() const { return parameters_; }
  Findings& findings() { return *findings_; }
  CheckHost& host() { return host_; }
  bool has_ingress() const { return (table_->directions & KPS_DIRECTIONS_INGRESS) != 0; }
  bool has_egress() const { return (table_->directions & KPS_DIRECTIONS_EGRESS) != 0; }

  // Whether the library is unmapped once nothing uses it: nothing of the plugin is to be called any more.
  bool Unload() { return unload_(); }

  // From now on texts and payloads end where memory that cannot be read begins, and empty ones have no address. They
  // stay until the subject ends.
  void SetGuarded() { guarded_ = true; }
  // `text` as an argument: it stays until the call has returned, at least.
  kps_str Lend(const std::string& text);
  kps_bytes LendBytes(const std::string& bytes);

  // Calls a function of the table. What it throws, a code that is none, and a failure without a sentence are told
  // beside the rule; an exception ends the examination.
  CallResult Call(const char* function, const std::function<kps_code(kps_error*)>& call);
  void CallVoid(const char* function, const std::function<void()>& call);
  // The same for destructors and other threads: an exception of the plugin is told, and ends nothing.
  void CallQuietly(const char* function, const std::function<void()>& call) noexcept;

 private:
  const char* LendGuarded(const std::string& text);
  [[noreturn]] void Threw(const char* function, const std::string& what);

  const kps_plugin* const table_;
  const CheckParameters parameters_;
  const std::function<bool()> unload_;
  Findings* const findings_;
  CheckHost host_;
  bool guarded_ = false;
  Mutex mutex_;
  std::deque<std::pair<void*, std::size_t>> mappings_ KPS_GUARDED_BY(mutex_);
};

// An eventfd that a plugin is to wait on.
class WakeFd {
 public:
  WakeFd();
  ~WakeFd();
  WakeFd(const WakeFd&) = delete;
  WakeFd& operator=(const WakeFd&) = delete;
  void Set() const;
  int get() const { return fd_; }

 private:
  const int fd_;
};

class TestedConnector {
 public:
  // With the subject's parameters. What it cannot create ends the examination, as one that cannot be made.
  explicit TestedConnector(Subject* subject);
  // With others: created() says how it went.
  TestedConnector(Subject* subject, const std::string& static_json, const std::string& config_json);
  ~TestedConnector();
  TestedConnector(const TestedConnector&) = delete;
  TestedConnector& operator=(const TestedConnector&) = delete;

  const CallResult& created() const { return created_; }
  kps_connector* get() const { return connector_; }
  Subject* subject() const { return subject_; }
  CallResult Configure(const std::string& config_json, int32_t* outcome);

 private:
  Subject* const subject_;
  kps_connector* connector_ = nullptr;
  CallResult created_;
};

// What is common to both kinds of instances.
struct StreamArguments {
  std::string metadata_json;
  std::string position = {};
  std::string id = "check-1";
  bool woken = false;  // before it is created
};

class TestedConsumer {
 public:
  static constexpr kps_limits kLimits{sizeof(kps_limits), 64, 1024 * 1024};

  // With the subject's parameters. What it cannot create ends the examination.
  explicit TestedConsumer(TestedConnector* connector);
  TestedConsumer(TestedConnector* connector, const StreamArguments& arguments);
  ~TestedConsumer();
  TestedConsumer(const TestedConsumer&) = delete;
  TestedConsumer& operator=(const TestedConsumer&) = delete;

  const CallResult& created() const { return created_; }
  // Releases the batch before, as hosts do, and asks for the next.
  CallResult Next(std::chrono::milliseconds timeout, const kps_limits& limits = kLimits);
  // The last one. Its messages are at their stride.
  const kps_batch& batch() const { return batch_; }
  std::string_view payload(std::size_t i) const { return Bytes(message(i).payload); }
  std::string_view id(std::size_t i) const;
  std::string_view position() const { return Bytes(batch_.position); }
  // Gives the batch away, with its release.
  kps_batch TakeBatch();
  void Release();
  CallResult Ack(uint64_t token);
  // As hosts do: the descriptor, then the function.
  void Wake();

  static std::string_view Bytes(kps_bytes bytes) { return {static_cast<const char*>(bytes.data), bytes.size}; }

 private:
  const kps_message& message(std::size_t i) const;

  Subject* const subject_;
  const WakeFd wake_;
  kps_consumer* consumer_ = nullptr;
  CallResult created_;
  kps_batch batch_{};
};

class TestedProducer {
 public:
  explicit TestedProducer(TestedConnector* connector);
  TestedProducer(TestedConnector* connector, const StreamArguments& arguments);
  ~TestedProducer();
  TestedProducer(const TestedProducer&) = delete;
  TestedProducer& operator=(const TestedProducer&) = delete;

  const CallResult& created() const { return created_; }
  // With `stride` bytes from one message to the next; what is between them points nowhere.
  CallResult Produce(const std::vector<std::string>& payloads, std::chrono::milliseconds timeout, std::size_t* taken,
                     std::size_t stride = sizeof(kps_message));
  CallResult Flush(std::chrono::milliseconds timeout);  // OK where there is none

 private:
  Subject* const subject_;
  const WakeFd wake_;
  kps_producer* producer_ = nullptr;
  CallResult created_;
};

}  // namespace kps::cli
