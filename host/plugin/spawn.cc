#include "host/plugin/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "host/plugin/child_wire.h"

namespace kps {
namespace {

struct Pipe {
  FileDescriptor parent;
  FileDescriptor child;
};

// Not one of the numbers that the child's descriptors get: dup2 would overwrite one by the other.
FileDescriptor Moved(FileDescriptor fd) { return FileDescriptor(fcntl(fd.get(), F_DUPFD_CLOEXEC, kFramesFd + 1)); }

// false: errno says why.
bool Keep(FileDescriptor parent, FileDescriptor child, Pipe* made) {
  made->parent = Moved(std::move(parent));
  made->child = Moved(std::move(child));
  return made->parent.ok() && made->child.ok() && fcntl(made->parent.get(), F_SETFL, O_NONBLOCK) == 0;
}

bool MakePipeToParent(Pipe* made) {
  int fds[2];
  return pipe2(fds, O_CLOEXEC) == 0 && Keep(FileDescriptor(fds[0]), FileDescriptor(fds[1]), made);
}

// Sockets: writing to a pipe whose reader has ended raises SIGPIPE.
bool MakePipeToChild(Pipe* made) {
  int fds[2];
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0 &&
         Keep(FileDescriptor(fds[0]), FileDescriptor(fds[1]), made);
}

int Start(const ChildCommand& command, const Pipe& request, const Pipe& frames, const Pipe& errors, pid_t* pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, request.child.get(), STDIN_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, errors.child.get(), STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, frames.child.get(), kFramesFd);
  posix_spawn_file_actions_addclosefrom_np(&actions, kFramesFd + 1);  // libraries leave some without FD_CLOEXEC

  // The parent blocks and ignores signals, which a child would inherit. A group of its own holds what it starts.
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

  std::string name = command.program;
  std::string argument = command.argument;
  char* arguments[] = {name.data(), argument.data(), nullptr};
  const int error = posix_spawn(pid, command.program.c_str(), &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

int Spawn(const ChildCommand& command, Spawned* spawned) {
  Pipe request;
  Pipe frames;
  Pipe errors;
  if (!MakePipeToChild(&request) || !MakePipeToParent(&frames) || !MakePipeToParent(&errors)) return errno;
  pid_t pid = -1;
  if (const int error = Start(command, request, frames, errors, &pid); error != 0) return error;
  spawned->pid = pid;
  spawned->pid_fd = FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!spawned->pid_fd.ok()) return errno;
  spawned->request = std::move(request.parent);
  spawned->frames = std::move(frames.parent);
  spawned->errors = std::move(errors.parent);
  return 0;
}

}  // namespace kps
