#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "host/plugin/file_descriptor.h"
#include "host/plugin/load.h"
#include "host/plugin/preflight.h"
#include "host/plugin/preflight_frame.h"

namespace kps {
namespace {

constexpr int kExitUsage = 2;
// Above what a plugin that closes or writes to descriptors by number is likely to hit.
constexpr int kVerdictFdMin = 100;

class IgnoringServices : public HostServices {
 public:
  void Log(LogLevel, std::string_view, std::string_view) override {}
  void Raise(Event) override {}
  void CounterAdd(std::string_view, std::string_view, std::uint64_t) override {}
  void GaugeSet(std::string_view, std::string_view, double) override {}
};

bool ReadAll(int fd, void* content, std::size_t size) {
  for (char* at = static_cast<char*>(content); size > 0;) {
    const ssize_t count = read(fd, at, size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    at += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

bool ReadText(std::string* text) {
  std::uint64_t size = 0;
  if (!ReadAll(STDIN_FILENO, &size, sizeof size)) return false;
  text->resize(size);
  return ReadAll(STDIN_FILENO, text->data(), size);
}

std::optional<PreflightRequest> ReadRequest() {
  PreflightRequest request;
  if (!ReadText(&request.path) || !ReadText(&request.static_json) || !ReadText(&request.config_json)) return {};
  return request;
}

void WriteFrame(int fd, FrameHeader header, std::string_view text) {
  header.text_size = static_cast<std::uint32_t>(text.size());
  std::string frame(reinterpret_cast<const char*>(&header), sizeof header);
  frame += text;
  for (std::string_view rest = frame; !rest.empty();) {
    const ssize_t written = write(fd, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;  // nobody is there to be told
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

void WriteProgress(int fd, std::string_view text) { WriteFrame(fd, {FrameHeader::kProgress, 0, 0}, text); }

Error Try(const PreflightRequest& request, int verdict) {
  WriteProgress(verdict, kWhileLoading);
  const auto plugin = LoadPlugin(request.path, {.no_unload = true});
  if (!plugin.ok()) return plugin.error();
  WriteProgress(verdict, kInCreate);
  IgnoringServices services;
  auto connector = plugin.value()->CreateConnector(request.static_json, request.config_json, &services);
  if (!connector.ok()) {
    Error error(connector.error().code(),
                request.path + " cannot create its connector: " + connector.error().message());
    error.set_retry_after(connector.error().retry_after());
    return error;
  }
  WriteProgress(verdict, kInDestroy);
  connector.value().reset();
  return {};
}

// The host may have ended before the child asked to end with it.
bool HostIsGone(int verdict) {
  pollfd reader{verdict, 0, 0};
  return poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR) != 0;
}

}  // namespace

int RunPreflight() {
  const FileDescriptor verdict(fcntl(kVerdictFd, F_DUPFD_CLOEXEC, kVerdictFdMin));
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (verdict.ok() && HostIsGone(verdict.get())) _exit(kExitUsage);
  const auto request = verdict.ok() ? ReadRequest() : std::nullopt;
  if (!request) {
    std::fputs("--preflight is how the host tries a plugin in a child process of its own: it is not for people\n",
               stderr);
    return kExitUsage;
  }
  close(kVerdictFd);
  const rlimit no_core_dump{0, 0};
  setrlimit(RLIMIT_CORE, &no_core_dump);
  FileDescriptor nothing(open("/dev/null", O_RDONLY | O_CLOEXEC));
  dup2(nothing.get(), STDIN_FILENO);
  nothing.Close();

  const Error error = Try(*request, verdict.get());
  WriteFrame(verdict.get(), {static_cast<std::int32_t>(error.code()), 0, error.retry_after().count()}, error.message());
  _exit(0);  // static destructors are not the question
}

}  // namespace kps
