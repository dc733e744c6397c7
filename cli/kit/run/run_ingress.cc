#include <ostream>

#include "cli/kit/run/run.h"
#include "host/core/envelope.h"

namespace kps::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLook{100};  // how often events, and the end, are looked for

class Printer {
 public:
  Printer(Subscription* subscription, const RunLimits& limits, std::ostream* out, Passed* passed)
      : subscription_(subscription), limits_(limits), out_(out), passed_(passed) {}

  // Prints what has come, and waits for it up to `timeout`. What is beyond the count is not printed.
  void Print(milliseconds timeout) {
    auto delivery = subscription_->Receive(milliseconds(0));
    if (!delivery.ok()) {
      out_->flush();  // before a wait: the author sees what there is
      delivery = subscription_->Receive(timeout);
    }
    if (!delivery.ok()) return;
    if (const Error error = DecodeEnvelope(delivery.value().envelope, &messages_); error.ok()) {
      for (const MessageView& message : messages_) Print(message);
    }
    subscription_->Acknowledge(delivery.value().receipt);
  }

  bool Done() const { return (limits_.count > 0 && passed_->messages >= limits_.count) || !*out_; }

 private:
  void Print(const MessageView& message) {
    if (Done()) return;
    line_.clear();
    AppendMessage(message, limits_.format, &line_);
    out_->write(line_.data(), static_cast<std::streamsize>(line_.size()));
    ++passed_->messages;
    passed_->bytes += message.payload.size();
  }

  Subscription* const subscription_;
  const RunLimits& limits_;
  std::ostream* const out_;
  Passed* const passed_;
  std::vector<MessageView> messages_;
  std::string line_;
};

}  // namespace

ExitCode RunIngress(RunSession* session, const RunLimits& limits, std::ostream& out, RunLog* log, Passed* passed) {
  auto subscription = session->transport()->Subscribe(session->stream().channel, "run");
  if (!subscription.ok()) {
    log->Line(subscription.error().message());
    return kExitUsage;
  }
  if (const auto failure = session->Start()) {
    log->Line(failure->text);
    return failure->exit_code;
  }
  Printer printer(subscription.value().get(), limits, &out, passed);
  bool failed = false;
  auto look_at = std::chrono::steady_clock::now();
  while (!limits.stop.stop_requested() && !printer.Done() && !failed) {
    printer.Print(kLook);
    if (std::chrono::steady_clock::now() < look_at) continue;
    failed = session->ShowsFailure();
    look_at = std::chrono::steady_clock::now() + kLook;
  }
  // The plugin may be in the midst of a batch, for which there has to be room.
  StopSession(session, log, [&] { printer.Print(milliseconds(10)); });
  subscription.value()->Drain();
  printer.Print(milliseconds(0));
  out.flush();
  session->ShowsFailure();
  return failed ? kExitRefused : kExitOk;
}

}  // namespace kps::cli
