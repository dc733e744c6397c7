#include "host/plugin/parent_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "host/plugin/child_wire.h"

namespace kps {
namespace {

// Above what a plugin that closes or writes to descriptors by number is likely to hit.
constexpr int kFramesFdMin = 100;

// Somebody's terminal or file would be waited for, and written to.
bool IsStartedByRunChild() {
  struct stat request {};
  struct stat frames {};
  return fstat(STDIN_FILENO, &request) == 0 && S_ISSOCK(request.st_mode) && fstat(kFramesFd, &frames) == 0 &&
         S_ISFIFO(frames.st_mode);
}

// The parent may have ended before the child asked to end with it.
bool ParentIsGone(int frames) {
  pollfd reader{frames, 0, 0};
  return poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR) != 0;
}

std::string ReadToEnd(int fd) {
  std::string content;
  char buffer[16 * 1024];
  for (;;) {
    const ssize_t count = read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return content;
    content.append(buffer, static_cast<std::size_t>(count));
  }
}

void WriteAll(int fd, std::string_view rest) {
  while (!rest.empty()) {
    const ssize_t written = write(fd, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;  // nobody is there to be told
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::optional<ParentProcess> ParentProcess::Find() {
  if (!IsStartedByRunChild()) return {};
  FileDescriptor frames(fcntl(kFramesFd, F_DUPFD_CLOEXEC, kFramesFdMin));
  close(kFramesFd);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!frames.ok() || ParentIsGone(frames.get())) _exit(1);
  std::string request = ReadToEnd(STDIN_FILENO);
  const rlimit no_core_dump{0, 0};
  setrlimit(RLIMIT_CORE, &no_core_dump);
  const FileDescriptor nothing(open("/dev/null", O_RDONLY | O_CLOEXEC));
  dup2(nothing.get(), STDIN_FILENO);
  return ParentProcess(std::move(frames), std::move(request));
}

void ParentProcess::Tell(std::int32_t code, std::string_view text) const {
  const FrameHeader header{code, static_cast<std::uint32_t>(text.size())};
  std::string frame(reinterpret_cast<const char*>(&header), sizeof header);
  frame += text;
  WriteAll(frames_.get(), frame);
}

}  // namespace kps
