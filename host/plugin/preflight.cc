#include "host/plugin/preflight.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "host/plugin/file_descriptor.h"
#include "host/plugin/preflight_frame.h"
#include "host/plugin/text.h"

namespace kps {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kStderrKept = 2 * 1024;
constexpr std::size_t kVerdictSizeMax = 64 * 1024;
constexpr int kReadsAfterItsEnd = 256;  // somebody else may hold the pipe, and write to it without end

struct Pipe {
  FileDescriptor host;
  FileDescriptor child;
};

// Not one of the numbers that the child's descriptors get: dup2 would overwrite one by the other.
FileDescriptor Moved(FileDescriptor fd) { return FileDescriptor(fcntl(fd.get(), F_DUPFD_CLOEXEC, kVerdictFd + 1)); }

// false: errno says why.
bool Keep(FileDescriptor host, FileDescriptor child, Pipe* made) {
  made->host = Moved(std::move(host));
  made->child = Moved(std::move(child));
  return made->host.ok() && made->child.ok() && fcntl(made->host.get(), F_SETFL, O_NONBLOCK) == 0;
}

bool MakePipeToHost(Pipe* made) {
  int fds[2];
  return pipe2(fds, O_CLOEXEC) == 0 && Keep(FileDescriptor(fds[0]), FileDescriptor(fds[1]), made);
}

// Sockets: writing to a pipe whose reader has ended raises SIGPIPE.
bool MakePipeToChild(Pipe* made) {
  int fds[2];
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0 &&
         Keep(FileDescriptor(fds[0]), FileDescriptor(fds[1]), made);
}

std::string ToBytes(const PreflightRequest& request) {
  std::string bytes;
  for (const std::string* text : {&request.path, &request.static_json, &request.config_json}) {
    const std::uint64_t size = text->size();
    bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
    bytes += *text;
  }
  return bytes;
}

// Frames of the child, as they come.
class Verdict {
 public:
  void Add(std::string_view bytes) {
    bytes_ += bytes.substr(0, kVerdictSizeMax - std::min(kVerdictSizeMax, bytes_.size()));
    FrameHeader header{};
    while (bytes_.size() >= sizeof header) {
      std::memcpy(&header, bytes_.data(), sizeof header);
      if (bytes_.size() - sizeof header < header.text_size) return;
      Take(header, bytes_.substr(sizeof header, header.text_size));
      bytes_.erase(0, sizeof header + header.text_size);
    }
  }

  const std::optional<Error>& error() const { return error_; }  // no value: it has not come to a verdict
  const std::string& progress() const { return progress_; }     // empty: it has not begun

 private:
  void Take(const FrameHeader& header, std::string text) {
    if (header.code == FrameHeader::kProgress) {
      progress_ = std::move(text);
      return;
    }
    error_ = Error(static_cast<Code>(header.code), std::move(text));
    error_->set_retry_after(milliseconds(header.retry_after_ms));
  }

  std::string bytes_;
  std::string progress_;
  std::optional<Error> error_;
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

enum class End { kItsOwn, kTimeout, kStopped };

// One child. Gone, with its process group, at the latest when this is destroyed.
class Child {
 public:
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { Reap(); }

  Error Start(const std::string& program, const PreflightRequest& request);
  End Await(milliseconds timeout, const std::stop_token& stop);
  // Kills what still runs. The status of waitpid; no value: somebody else took it.
  std::optional<int> Reap();

  const Verdict& verdict() const { return verdict_; }
  std::string LastWords() const { return LastLine(stderr_text_); }

 private:
  int Spawn(const std::string& program, const Pipe& request, const Pipe& verdict, const Pipe& errors);
  void SendRequest();
  bool ReadVerdict();
  bool ReadStderr();

  pid_t pid_ = -1;
  FileDescriptor pid_fd_;
  FileDescriptor stop_fd_;
  FileDescriptor request_fd_;
  FileDescriptor verdict_fd_;
  FileDescriptor stderr_fd_;
  std::string request_;  // what is still to be sent
  Verdict verdict_;
  std::string stderr_text_;
};

Error Child::Start(const std::string& program, const PreflightRequest& request) {
  const auto failed = [&](int error) {
    const bool exhausted = error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN;
    return Error(
        exhausted ? Code::kResourceExhausted : Code::kUnavailable,
        "cannot start " + program + " to try " + request.path + " in a child process: " + std::strerror(error));
  };
  Pipe request_pipe;
  Pipe verdict_pipe;
  Pipe stderr_pipe;
  stop_fd_ = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop_fd_.ok() || !MakePipeToChild(&request_pipe) || !MakePipeToHost(&verdict_pipe) ||
      !MakePipeToHost(&stderr_pipe)) {
    return failed(errno);
  }
  if (const int error = Spawn(program, request_pipe, verdict_pipe, stderr_pipe); error != 0) return failed(error);
  pid_fd_ = FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (!pid_fd_.ok()) return failed(errno);
  request_fd_ = std::move(request_pipe.host);
  verdict_fd_ = std::move(verdict_pipe.host);
  stderr_fd_ = std::move(stderr_pipe.host);
  request_ = ToBytes(request);
  return {};
}

int Child::Spawn(const std::string& program, const Pipe& request, const Pipe& verdict, const Pipe& errors) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, request.child.get(), STDIN_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, errors.child.get(), STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, verdict.child.get(), kVerdictFd);
  posix_spawn_file_actions_addclosefrom_np(&actions, kVerdictFd + 1);  // libraries leave some without FD_CLOEXEC

  // The host blocks and ignores signals, which a child would inherit. A group of its own holds what it starts.
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  std::string name = program;
  std::string argument = "--preflight";
  char* arguments[] = {name.data(), argument.data(), nullptr};
  pid_t pid = -1;
  const int error = posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments, environ);
  if (error == 0) pid_ = pid;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

End Child::Await(milliseconds timeout, const std::stop_token& stop) {
  const Clock::time_point deadline = Clock::now() + timeout;
  const std::stop_callback wake(stop, [this] {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(stop_fd_.get(), &one, sizeof one);  // fails only when already readable
  });
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return End::kTimeout;
    pollfd fds[] = {{stop_fd_.get(), POLLIN, 0},
                    {pid_fd_.get(), POLLIN, 0},
                    {request_fd_.get(), POLLOUT, 0},
                    {verdict_fd_.get(), POLLIN, 0},
                    {stderr_fd_.get(), POLLIN, 0}};
    // A day is as good as for ever, and fits.
    if (poll(fds, std::size(fds), static_cast<int>(std::min<std::int64_t>(left, 86'400'000))) < 0) continue;  // EINTR
    if (fds[0].revents != 0) return End::kStopped;
    if (fds[1].revents != 0) return End::kItsOwn;
    if (fds[2].revents != 0) SendRequest();
    if (fds[3].revents != 0) ReadVerdict();
    if (fds[4].revents != 0) ReadStderr();
  }
}

std::optional<int> Child::Reap() {
  if (pid_ < 0) return {};
  // Before waitpid, after which the number may be somebody else's.
  kill(-pid_, SIGKILL);
  kill(pid_, SIGKILL);
  int status = 0;
  pid_t reaped = -1;
  while ((reaped = waitpid(pid_, &status, 0)) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  for (int i = 0; i < kReadsAfterItsEnd && ReadVerdict(); ++i) {
  }
  for (int i = 0; i < kReadsAfterItsEnd && ReadStderr(); ++i) {
  }
  if (reaped < 0) return {};
  return status;
}

void Child::SendRequest() {
  const ssize_t sent = send(request_fd_.get(), request_.data(), request_.size(), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
  request_.erase(0, sent < 0 ? request_.size() : static_cast<std::size_t>(sent));
  if (request_.empty()) request_fd_.Close();
}

// Gives what there is to `take`; false: there is nothing more for now.
template <typename Take>
bool ReadSome(FileDescriptor& fd, Take take) {
  char buffer[4096];
  const ssize_t count = read(fd.get(), buffer, sizeof buffer);
  if (count > 0) {
    take(std::string_view(buffer, static_cast<std::size_t>(count)));
    return true;
  }
  if (count < 0 && errno == EINTR) return true;
  if (count == 0 || errno != EAGAIN) fd.Close();
  return false;
}

bool Child::ReadVerdict() {
  return ReadSome(verdict_fd_, [this](std::string_view bytes) { verdict_.Add(bytes); });
}

bool Child::ReadStderr() {
  return ReadSome(stderr_fd_, [this](std::string_view bytes) {
    stderr_text_ += bytes;
    if (stderr_text_.size() > kStderrKept) stderr_text_.erase(0, stderr_text_.size() - kStderrKept);
  });
}

std::string ToText(milliseconds duration) {
  const auto count = duration.count();
  return count % 1000 == 0 ? std::to_string(count / 1000) + " s" : std::to_string(count) + " ms";
}

std::string DescribeEnd(int status) {
  if (!WIFSIGNALED(status)) return "exited with code " + std::to_string(WEXITSTATUS(status));
  const int number = WTERMSIG(status);
  const char* const name = sigabbrev_np(number);
  const char* const description = sigdescr_np(number);
  std::string text = "crashed with ";
  text += name == nullptr ? "signal " + std::to_string(number) : std::string("SIG") + name;
  if (description != nullptr) {
    std::string what = description;
    if (what.size() > 1 && what[1] >= 'a') what[0] = static_cast<char>(what[0] | ('a' - 'A'));  // not "CPU time"
    text += " (" + what + ")";
  }
  return text;
}

}  // namespace

Error Preflight(const std::string& program, const PreflightRequest& request, milliseconds timeout,
                const std::stop_token& stop) {
  Child child;
  if (Error error = child.Start(program, request); !error.ok()) return error;
  const End end = child.Await(timeout, stop);
  const std::optional<int> status = child.Reap();
  if (child.verdict().error()) return *child.verdict().error();

  const bool begun = !child.verdict().progress().empty();
  const std::string at = begun ? child.verdict().progress() : "before it was loaded";
  const auto failed = [&](Code code, const std::string& what, const std::string& advice) {
    std::string text = request.path + " " + what + " " + at + ", when it was tried in a child process" + advice;
    if (const std::string words = child.LastWords(); !words.empty()) text += "; its last line was: " + words;
    return Error(code, text);
  };
  if (end == End::kStopped) return failed(Code::kCancelled, "was not finished", "");
  if (end == End::kTimeout) {
    return failed(Code::kDeadlineExceeded, "did not come to an end within " + ToText(timeout),
                  ": what takes long belongs into create_consumer and create_producer");
  }
  if (!status) return failed(Code::kUnavailable, "ended for an unknown reason", "");
  return failed(begun ? Code::kFailedPrecondition : Code::kUnavailable, DescribeEnd(*status),
                begun && WIFEXITED(*status) ? ": a plugin returns an error instead" : "");
}

}  // namespace kps
