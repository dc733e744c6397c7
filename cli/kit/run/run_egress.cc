#include <cerrno>
#include <cstring>
#include <thread>

#include "cli/kit/run/line_reader.h"
#include "cli/kit/run/run.h"
#include "host/core/envelope.h"

namespace kps::cli {
namespace {

using std::chrono::milliseconds;
using Outcome = LineReader::Outcome;

constexpr milliseconds kLook{20};

enum class End { kAsked, kWrongLine, kFailed };

class Feeder {
 public:
  Feeder(RunSession* session, Publisher* publisher, const RunLimits& limits, RunLog* log, Passed* passed)
      : session_(session), publisher_(publisher), limits_(limits), log_(log), passed_(passed) {}

  // Publishes the lines of `fd`, and waits until they are delivered.
  End Feed(int fd) {
    // What is published before anybody has subscribed is for nobody.
    if (!Await([this] { return session_->Running(); })) return ended_;
    LineReader lines(fd, limits_.stop);
    for (std::string line; limits_.count == 0 || passed_->messages < limits_.count;) {
      const Outcome outcome = lines.Next(&line);
      if (outcome == Outcome::kStopped) return End::kAsked;
      if (outcome == Outcome::kEnd) break;
      if (outcome != Outcome::kLine) return Complain(WhyNoLine(outcome));
      const auto payload = ParseMessage(line, limits_.format);
      if (!payload.ok()) return Complain(payload.failure().text);
      if (!Publish(payload.value())) return ended_;
    }
    const std::uint64_t messages = passed_->messages;
    if (!Await([&] { return session_->Figures().settled() >= messages; })) return ended_;
    return End::kAsked;
  }

 private:
  // false: it ended before; `ended_` says how.
  template <typename Condition>
  bool Await(Condition condition) {
    while (!condition()) {
      if (Ended()) return false;
      std::this_thread::sleep_for(kLook);
    }
    return !Ended();
  }

  bool Ended() {
    if (session_->ShowsFailure()) {
      ended_ = End::kFailed;
      return true;
    }
    return limits_.stop.stop_requested();
  }

  bool Publish(const std::string& payload) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    envelope_.clear();
    AppendEnvelope({payload, std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()}, &envelope_);
    for (;;) {
      const auto ticket = publisher_->Publish(envelope_);
      if (ticket.ok()) break;
      if (Ended()) return false;  // else the plugin is slower than the lines: it has waited already
    }
    ++passed_->messages;
    passed_->bytes += payload.size();
    return true;
  }

  End Complain(const std::string& what) {
    log_->Line("line " + std::to_string(passed_->messages + 1) + " of stdin " + what);
    return End::kWrongLine;
  }

  static std::string WhyNoLine(Outcome outcome) {
    if (outcome == Outcome::kTooLong) return "is longer than 64 MiB";
    return std::string("cannot be read: ") + std::strerror(errno);
  }

  RunSession* const session_;
  Publisher* const publisher_;
  const RunLimits& limits_;
  RunLog* const log_;
  Passed* const passed_;
  std::string envelope_;
  End ended_ = End::kAsked;
};

}  // namespace

ExitCode RunEgress(RunSession* session, const RunLimits& limits, int fd, RunLog* log, Passed* passed) {
  if (const auto failure = session->Start()) {
    log->Line(failure->text);
    return failure->exit_code;
  }
  auto publisher = session->transport()->OpenPublisher(session->stream().channel);
  if (!publisher.ok()) {
    log->Line(publisher.error().message());
    return kExitUsage;
  }
  const End end = Feeder(session, publisher.value().get(), limits, log, passed).Feed(fd);
  StopSession(session, log, [] { std::this_thread::sleep_for(kLook); });
  session->ShowsFailure();
  if (end == End::kFailed) return kExitRefused;
  return end == End::kWrongLine ? kExitUsage : kExitOk;
}

}  // namespace kps::cli
