#include "host/plugin/child_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "host/plugin/child_wire.h"
#include "host/plugin/spawn.h"
#include "host/plugin/text.h"

namespace kps {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kStderrKept = 2 * 1024;
constexpr std::size_t kReadSize = 16 * 1024;
constexpr int kReadsAfterItsEnd = 64;  // more than a pipe holds; somebody else may hold it, and write without end

// Makes frames of bytes as they come.
class Frames {
 public:
  explicit Frames(const std::function<void(ChildFrame)>& on_frame) : on_frame_(on_frame) {}

  // false: this is no frame, nor is what follows.
  bool Add(std::string_view bytes) {
    bytes_ += bytes;
    std::size_t at = 0;
    FrameHeader header{};
    while (bytes_.size() - at >= sizeof header) {
      std::memcpy(&header, bytes_.data() + at, sizeof header);
      if (header.text_size > ChildFrame::kTextMax) return false;
      if (bytes_.size() - at - sizeof header < header.text_size) break;
      on_frame_({header.code, bytes_.substr(at + sizeof header, header.text_size)});
      at += sizeof header + header.text_size;
    }
    bytes_.erase(0, at);
    return true;
  }

 private:
  const std::function<void(ChildFrame)>& on_frame_;
  std::string bytes_;
};

// The last line that is not empty, fit for a sentence.
std::string LastLine(std::string text) {
  const auto is_space = [](unsigned char c) { return c <= ' '; };
  while (!text.empty() && is_space(text.back())) text.pop_back();
  text.erase(0, text.rfind('\n') + 1);
  text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), is_space));
  text = CopyText(ToAbi(text));
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; }, ' ');
  return text;
}

// Gives what there is to `take`, which may refuse more; false: there is nothing more for now.
template <typename Take>
bool ReadSome(FileDescriptor& fd, Take take) {
  char buffer[kReadSize];
  const ssize_t count = read(fd.get(), buffer, sizeof buffer);
  if (count > 0 && take(std::string_view(buffer, static_cast<std::size_t>(count)))) return true;
  if (count < 0 && errno == EINTR) return true;
  if (count >= 0 || errno != EAGAIN) fd.Close();
  return false;
}

// One child. Gone, with its process group, at the latest when this is destroyed.
class Child {
 public:
  explicit Child(const std::function<void(ChildFrame)>& on_frame) : frames_(on_frame) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { Reap(); }

  Error Start(const ChildCommand& command);
  ChildEnd Run(milliseconds timeout, const std::stop_token& stop);

 private:
  // kExited: it has ended, however.
  ChildEnd::How Await(milliseconds timeout, const std::stop_token& stop);
  // Kills what still runs. The status of waitpid; no value: somebody else took it.
  std::optional<int> Reap();
  void SendRequest();
  bool ReadFrames();
  bool ReadStderr();

  Spawned spawned_;
  FileDescriptor stop_fd_;
  std::string request_;  // what is still to be sent
  Frames frames_;
  std::string stderr_text_;
};

Error Child::Start(const ChildCommand& command) {
  stop_fd_ = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const int error = stop_fd_.ok() ? Spawn(command, &spawned_) : errno;
  if (error != 0) {
    const bool exhausted = error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN;
    return Error(exhausted ? Code::kResourceExhausted : Code::kUnavailable,
                 "cannot start " + command.program + " as a child process: " + std::strerror(error));
  }
  request_ = command.request;
  return {};
}

ChildEnd Child::Run(milliseconds timeout, const std::stop_token& stop) {
  ChildEnd end;
  end.how = Await(timeout, stop);
  const std::optional<int> status = Reap();
  for (int i = 0; i < kReadsAfterItsEnd && ReadFrames(); ++i) {
  }
  for (int i = 0; i < kReadsAfterItsEnd && ReadStderr(); ++i) {
  }
  end.last_line = LastLine(std::move(stderr_text_));
  if (end.how != ChildEnd::How::kExited) return end;
  if (!status) {
    end.how = ChildEnd::How::kUnknown;
  } else if (WIFSIGNALED(*status)) {
    end.how = ChildEnd::How::kCrashed;
    end.number = WTERMSIG(*status);
  } else {
    end.number = WEXITSTATUS(*status);
  }
  return end;
}

ChildEnd::How Child::Await(milliseconds timeout, const std::stop_token& stop) {
  const Clock::time_point deadline = Clock::now() + timeout;
  const std::stop_callback wake(stop, [this] {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(stop_fd_.get(), &one, sizeof one);  // fails only when already readable
  });
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return ChildEnd::How::kTimeout;
    pollfd fds[] = {{stop_fd_.get(), POLLIN, 0},
                    {spawned_.pid_fd.get(), POLLIN, 0},
                    {spawned_.request.get(), POLLOUT, 0},
                    {spawned_.frames.get(), POLLIN, 0},
                    {spawned_.errors.get(), POLLIN, 0}};
    // A day is as good as for ever, and fits.
    if (poll(fds, std::size(fds), static_cast<int>(std::min<std::int64_t>(left, 86'400'000))) < 0) continue;  // EINTR
    if (fds[0].revents != 0) return ChildEnd::How::kStopped;
    if (fds[1].revents != 0) return ChildEnd::How::kExited;
    if (fds[2].revents != 0) SendRequest();
    if (fds[3].revents != 0) ReadFrames();
    if (fds[4].revents != 0) ReadStderr();
  }
}

std::optional<int> Child::Reap() {
  if (spawned_.pid < 0) return {};
  // Before waitpid, after which the number may be somebody else's.
  kill(-spawned_.pid, SIGKILL);
  kill(spawned_.pid, SIGKILL);
  int status = 0;
  pid_t reaped = -1;
  while ((reaped = waitpid(spawned_.pid, &status, 0)) < 0 && errno == EINTR) {
  }
  spawned_.pid = -1;
  if (reaped < 0) return {};
  return status;
}

void Child::SendRequest() {
  const ssize_t sent = send(spawned_.request.get(), request_.data(), request_.size(), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
  request_.erase(0, sent < 0 ? request_.size() : static_cast<std::size_t>(sent));
  if (request_.empty()) spawned_.request.Close();
}

bool Child::ReadFrames() {
  return ReadSome(spawned_.frames, [this](std::string_view bytes) { return frames_.Add(bytes); });
}

bool Child::ReadStderr() {
  return ReadSome(spawned_.errors, [this](std::string_view bytes) {
    stderr_text_ += bytes;
    if (stderr_text_.size() > kStderrKept) stderr_text_.erase(0, stderr_text_.size() - kStderrKept);
    return true;
  });
}

std::string DescribeSignal(int number) {
  const char* const name = sigabbrev_np(number);
  const char* const description = sigdescr_np(number);
  std::string text = name == nullptr ? "signal " + std::to_string(number) : std::string("SIG") + name;
  if (description != nullptr) {
    std::string what = description;
    if (what.size() > 1 && what[1] >= 'a') what[0] = static_cast<char>(what[0] | ('a' - 'A'));  // not "CPU time"
    text += " (" + what + ")";
  }
  return text;
}

}  // namespace

std::string Describe(const ChildEnd& end) {
  switch (end.how) {
    case ChildEnd::How::kExited: return "exited with code " + std::to_string(end.number);
    case ChildEnd::How::kCrashed: return "crashed with " + DescribeSignal(end.number);
    case ChildEnd::How::kTimeout: return "did not end in time";
    case ChildEnd::How::kStopped: return "was stopped";
    case ChildEnd::How::kUnknown: break;
  }
  return "ended for an unknown reason";
}

Result<ChildEnd> RunChild(const ChildCommand& command, milliseconds timeout, const std::stop_token& stop,
                          const std::function<void(ChildFrame)>& on_frame) {
  Child child(on_frame);
  if (Error error = child.Start(command); !error.ok()) return error;
  return child.Run(timeout, stop);
}

}  // namespace kps
