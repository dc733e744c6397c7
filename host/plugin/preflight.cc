#include "host/plugin/preflight.h"

#include <cstdlib>
#include <optional>
#include <utility>

#include "host/plugin/child_process.h"
#include "host/plugin/packed_texts.h"
#include "host/plugin/preflight_frame.h"

namespace kps {
namespace {

using std::chrono::milliseconds;

struct Verdict {
  std::string progress;        // empty: it has not begun
  std::optional<Error> error;  // no value: it has not come to a verdict

  void Take(ChildFrame frame) {
    if (frame.code == kPreflightProgress) {
      progress = std::move(frame.text);
      return;
    }
    const auto texts = UnpackTexts(frame.text, 2);
    if (!texts) return;  // not our child
    error = Error(static_cast<Code>(frame.code), (*texts)[0]);
    error->set_retry_after(milliseconds(std::atoll((*texts)[1].c_str())));
  }
};

std::string ToText(milliseconds duration) {
  const auto count = duration.count();
  return count % 1000 == 0 ? std::to_string(count / 1000) + " s" : std::to_string(count) + " ms";
}

}  // namespace

Error Preflight(const std::string& program, const PreflightRequest& request, milliseconds timeout,
                const std::stop_token& stop) {
  const ChildCommand command{program, "--preflight",
                             PackTexts({request.path, request.static_json, request.config_json})};
  Verdict verdict;
  const auto run = RunChild(command, timeout, stop, [&](ChildFrame frame) { verdict.Take(std::move(frame)); });
  if (!run.ok()) return Error(run.error().code(), "cannot try " + request.path + ": " + run.error().message());
  if (verdict.error) return *verdict.error;

  const ChildEnd& end = run.value();
  const bool begun = !verdict.progress.empty();
  const auto failed = [&](Code code, const std::string& what, const std::string& advice) {
    std::string text = request.path + " " + what + " " + (begun ? verdict.progress : "before it was loaded") +
                       ", when it was tried in a child process" + advice;
    if (!end.last_line.empty()) text += "; its last line was: " + end.last_line;
    return Error(code, text);
  };
  switch (end.how) {
    case ChildEnd::How::kStopped: return failed(Code::kCancelled, "was not finished", "");
    case ChildEnd::How::kTimeout:
      return failed(Code::kDeadlineExceeded, "did not come to an end within " + ToText(timeout),
                    ": what takes long belongs into create_consumer and create_producer");
    case ChildEnd::How::kUnknown: return failed(Code::kUnavailable, Describe(end), "");
    case ChildEnd::How::kExited:
    case ChildEnd::How::kCrashed: break;
  }
  const bool exited = end.how == ChildEnd::How::kExited;
  return failed(begun ? Code::kFailedPrecondition : Code::kUnavailable, Describe(end),
                begun && exited ? ": a plugin returns an error instead" : "");
}

}  // namespace kps
