#include "cli/kit/check/subject.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

#include "host/core/error.h"
#include "host/core/schema.h"
#include "host/plugin/text.h"

namespace kps::cli {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

std::size_t PagesFor(std::size_t bytes) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

kps_stream StreamOf(Subject* subject, int32_t direction, const StreamArguments& arguments, int wake_fd) {
  static const std::string channel = "check";
  return {sizeof(kps_stream),
          direction,
          subject->Lend(arguments.id),
          subject->Lend(channel),
          subject->Lend(arguments.metadata_json),
          wake_fd,
          0};
}

uint32_t Milliseconds(milliseconds timeout) { return static_cast<uint32_t>(timeout.count()); }

// A create that came to nothing: what it needs was not to be had. Whether that is a mistake is for the rule `create`.
void RequireCreated(Subject* subject, const char* function, const CallResult& created) {
  if (created.ok()) return;
  subject->findings().Skip(std::string(function) + " answered " + created.ToString());
  throw ExaminationEnded();
}

}  // namespace

bool CallResult::transient() const { return Error(static_cast<Code>(code), "").transient(); }

std::string CallResult::ToString() const {
  return ok() ? "OK" : std::string(CodeName(static_cast<Code>(code))) + ": " + text;
}

Subject::Subject(const kps_plugin* table, CheckParameters parameters, std::function<bool()> unload, Findings* findings)
    : table_(table),
      parameters_(std::move(parameters)),
      unload_(std::move(unload)),
      findings_(findings),
      host_(findings) {}

Subject::~Subject() {
  MutexLock lock(mutex_);
  for (const auto& [address, bytes] : mappings_) munmap(address, bytes);
}

const char* Subject::LendGuarded(const std::string& text) {
  if (text.empty()) return nullptr;
  const std::size_t readable = PagesFor(text.size());
  const std::size_t bytes = readable + PagesFor(1);
  void* const mapping = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return text.data();
  char* const begin = static_cast<char*>(mapping);
  std::memcpy(begin + readable - text.size(), text.data(), text.size());
  mprotect(begin + readable, bytes - readable, PROT_NONE);
  MutexLock lock(mutex_);
  mappings_.emplace_back(mapping, bytes);
  return begin + readable - text.size();
}

kps_str Subject::Lend(const std::string& text) { return {guarded_ ? LendGuarded(text) : text.data(), text.size()}; }

kps_bytes Subject::LendBytes(const std::string& bytes) {
  return {guarded_ ? LendGuarded(bytes) : bytes.data(), bytes.size()};
}

void Subject::Threw(const char* function, const std::string& what) {
  findings_->FailBeside(kRuleExceptions, std::string(function) + " threw " + what);
  findings_->Skip(std::string(function) + " threw an exception");
  throw ExaminationEnded();
}

CallResult Subject::Call(const char* function, const std::function<kps_code(kps_error*)>& call) {
  kps_error error{};
  error.struct_size = sizeof error;
  CallResult result;
  findings_->SetAt(function);
  const auto begun = Clock::now();
  try {
    result.code = call(&error);
  } catch (const std::exception& exception) {
    Threw(function, "an exception: " + CopyText(ToAbi(exception.what())));
  } catch (...) {
    Threw(function, "something that is no std::exception");
  }
  result.took = std::chrono::duration_cast<milliseconds>(Clock::now() - begun);
  findings_->SetAt("");
  if (result.ok()) return result;

  const std::string beside = std::string(function) + " returned ";
  if (result.code < KPS_OK || result.code > KPS_DATA_LOSS) {
    findings_->FailBeside(kRuleErrors, beside + std::to_string(result.code) + ", which is no kps_code (KPS_OK is 1)");
    result.code = KPS_INTERNAL;
  }
  const std::size_t size = std::min<std::size_t>(error.text_size, KPS_ERROR_TEXT_MAX);
  const std::string_view text(error.text, size);
  const std::string code = CodeName(static_cast<Code>(result.code));
  if (size == 0) {
    findings_->FailBeside(kRuleErrors, beside + code + " without a sentence");
  } else if (CopyText({error.text, size}) != text) {
    findings_->FailBeside(kRuleErrors, beside + code + " with a text that is no UTF-8");
  } else if (error.code != result.code) {
    findings_->FailBeside(kRuleErrors,
                          beside + code + ", and the code " + std::to_string(error.code) + " in its kps_error");
  }
  result.text = Shortened(CopyText({error.text, size}), 300);
  return result;
}

void Subject::CallVoid(const char* function, const std::function<void()>& call) {
  (void)Call(function, [&](kps_error*) {
    call();
    return KPS_OK;
  });
}

void Subject::CallQuietly(const char* function, const std::function<void()>& call) noexcept {
  try {
    CallVoid(function, call);
  } catch (const ExaminationEnded&) {
  }
}

WakeFd::WakeFd() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
WakeFd::~WakeFd() { close(fd_); }
void WakeFd::Set() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);
}

TestedConnector::TestedConnector(Subject* subject)
    : TestedConnector(subject, subject->parameters().static_json, subject->parameters().config_json) {
  RequireCreated(subject, "create_connector", created_);
}

TestedConnector::TestedConnector(Subject* subject, const std::string& static_json, const std::string& config_json)
    : subject_(subject) {
  created_ = subject->Call("create_connector", [&](kps_error* error) {
    return subject->table().create_connector(subject->host().table(), subject->Lend(static_json),
                                             subject->Lend(config_json), &connector_, error);
  });
  if (created_.ok() == (connector_ != nullptr)) return;
  subject->findings().FailBeside(kRuleErrors, "create_connector returned " + created_.ToString() +
                                                  (created_.ok() ? " and no connector" : ", and a connector with it"));
  if (connector_ == nullptr) created_ = {KPS_INTERNAL, "no connector", {}};
}

TestedConnector::~TestedConnector() {
  if (connector_ == nullptr) return;
  subject_->CallQuietly("destroy_connector", [&] { subject_->table().destroy_connector(connector_); });
}

CallResult TestedConnector::Configure(const std::string& config_json, int32_t* outcome) {
  *outcome = KPS_CONFIGURE_APPLIED;
  return subject_->Call("configure", [&](kps_error* error) {
    return subject_->table().configure(connector_, subject_->Lend(config_json), outcome, error);
  });
}

TestedConsumer::TestedConsumer(TestedConnector* connector)
    : TestedConsumer(connector, {connector->subject()->parameters().ingress_json}) {
  RequireCreated(subject_, "create_consumer", created_);
}

TestedConsumer::TestedConsumer(TestedConnector* connector, const StreamArguments& arguments)
    : subject_(connector->subject()) {
  if (arguments.woken) wake_.Set();
  const kps_stream stream = StreamOf(subject_, KPS_DIRECTION_INGRESS, arguments, wake_.get());
  created_ = subject_->Call("create_consumer", [&](kps_error* error) {
    return subject_->table().create_consumer(connector->get(), &stream, subject_->LendBytes(arguments.position),
                                             &consumer_, error);
  });
  if (created_.ok() == (consumer_ != nullptr)) return;
  subject_->findings().FailBeside(kRuleErrors, "create_consumer returned " + created_.ToString() +
                                                   (created_.ok() ? " and no consumer" : ", and a consumer with it"));
  if (consumer_ == nullptr) created_ = {KPS_INTERNAL, "no consumer", {}};
}

TestedConsumer::~TestedConsumer() {
  if (const kps_batch batch = TakeBatch(); batch.release != nullptr) {
    subject_->CallQuietly("release", [&] { batch.release(batch.release_context); });
  }
  if (consumer_ == nullptr) return;
  subject_->CallQuietly("destroy_consumer", [&] { subject_->table().destroy_consumer(consumer_); });
}

CallResult TestedConsumer::Next(milliseconds timeout, const kps_limits& limits) {
  Release();
  batch_.struct_size = sizeof batch_;
  const CallResult result = subject_->Call("next_msg", [&](kps_error* error) {
    return subject_->table().next_msg(consumer_, &limits, Milliseconds(timeout), &batch_, error);
  });
  if (!result.ok()) batch_ = {};
  if (batch_.message_count == 0) return result;
  if (batch_.messages == nullptr || batch_.message_stride < offsetof(kps_message, id)) {
    subject_->findings().FailBeside("batch", "next_msg returned messages without their address or message_stride");
    throw ExaminationEnded();
  }
  return result;
}

const kps_message& TestedConsumer::message(std::size_t i) const {
  const char* const first = reinterpret_cast<const char*>(batch_.messages);
  return *reinterpret_cast<const kps_message*>(first + i * batch_.message_stride);
}

std::string_view TestedConsumer::id(std::size_t i) const {
  return batch_.message_stride < sizeof(kps_message) ? std::string_view() : Bytes(message(i).id);
}

kps_batch TestedConsumer::TakeBatch() { return std::exchange(batch_, {}); }

void TestedConsumer::Release() {
  const kps_batch batch = TakeBatch();
  if (batch.release == nullptr) return;
  subject_->CallVoid("release", [&] { batch.release(batch.release_context); });
}

CallResult TestedConsumer::Ack(uint64_t token) {
  if (subject_->table().ack == nullptr) return {};
  return subject_->Call("ack", [&](kps_error* error) { return subject_->table().ack(consumer_, token, error); });
}

void TestedConsumer::Wake() {
  wake_.Set();
  if (subject_->table().wake_consumer == nullptr) return;
  subject_->CallQuietly("wake_consumer", [&] { subject_->table().wake_consumer(consumer_); });
}

TestedProducer::TestedProducer(TestedConnector* connector)
    : TestedProducer(connector, {connector->subject()->parameters().egress_json}) {
  RequireCreated(subject_, "create_producer", created_);
}

TestedProducer::TestedProducer(TestedConnector* connector, const StreamArguments& arguments)
    : subject_(connector->subject()) {
  if (arguments.woken) wake_.Set();
  const kps_stream stream = StreamOf(subject_, KPS_DIRECTION_EGRESS, arguments, wake_.get());
  created_ = subject_->Call("create_producer", [&](kps_error* error) {
    return subject_->table().create_producer(connector->get(), &stream, &producer_, error);
  });
  if (created_.ok() == (producer_ != nullptr)) return;
  subject_->findings().FailBeside(kRuleErrors, "create_producer returned " + created_.ToString() +
                                                   (created_.ok() ? " and no producer" : ", and a producer with it"));
  if (producer_ == nullptr) created_ = {KPS_INTERNAL, "no producer", {}};
}

TestedProducer::~TestedProducer() {
  if (producer_ == nullptr) return;
  subject_->CallQuietly("destroy_producer", [&] { subject_->table().destroy_producer(producer_); });
}

CallResult TestedProducer::Produce(const std::vector<std::string>& payloads, milliseconds timeout, std::size_t* taken,
                                   std::size_t stride) {
  // What lies between two messages would crash who reads it as one.
  std::vector<unsigned char> room(payloads.size() * stride, 0xFF);
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    const kps_message message{subject_->LendBytes(payloads[i]), 0, {nullptr, 0}};
    std::memcpy(room.data() + i * stride, &message, sizeof message);
  }
  *taken = 0;
  return subject_->Call("produce", [&](kps_error* error) {
    return subject_->table().produce(producer_, reinterpret_cast<const kps_message*>(room.data()), payloads.size(),
                                     static_cast<uint32_t>(stride), Milliseconds(timeout), taken, error);
  });
}

CallResult TestedProducer::Flush(milliseconds timeout) {
  if (subject_->table().flush == nullptr) return {};
  return subject_->Call(
      "flush", [&](kps_error* error) { return subject_->table().flush(producer_, Milliseconds(timeout), error); });
}

}  // namespace kps::cli
