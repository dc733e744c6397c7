#include "host/transport/nats_loop.h"

#include <nats/nats.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace kps {

// Called by libnats with its connection locked: they only leave word.
struct NatsLoop::Callbacks {
  static natsStatus Attach(void** user, void* loop, natsConnection* connection, natsSock socket) {
    auto* self = static_cast<NatsLoop*>(loop);
    *user = self;
    {
      MutexLock lock(self->mutex_);
      self->connection_ = connection;
      self->fd_ = socket;
    }
    self->wants_write_ = false;
    self->Wake();
    return NATS_OK;
  }
  // Reading ends only when the socket is about to be closed.
  static natsStatus Read(void* user, bool add) {
    if (!add) static_cast<NatsLoop*>(user)->ForgetSocket();
    return NATS_OK;
  }
  static natsStatus Write(void* user, bool add) {
    auto* self = static_cast<NatsLoop*>(user);
    self->wants_write_ = add;
    if (add && WriteAtOnce::writing_ != self) self->Wake();
    return NATS_OK;
  }
  static natsStatus Detach(void* user) { return Read(user, false); }
};

Result<std::unique_ptr<NatsLoop>> NatsLoop::Start() {
  const int wake_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0) {
    return Error(Code::kResourceExhausted, std::string("cannot make an eventfd: ") + std::strerror(errno));
  }
  return std::unique_ptr<NatsLoop>(new NatsLoop(wake_fd));
}

NatsLoop::NatsLoop(int wake_fd) : wake_fd_(wake_fd), thread_([this] { Run(); }) {}

NatsLoop::~NatsLoop() {
  stopping_ = true;
  Wake();
  thread_.join();
  ::close(wake_fd_);
}

bool NatsLoop::Install(natsOptions* options) {
  return natsOptions_SetEventLoop(options, this, Callbacks::Attach, Callbacks::Read, Callbacks::Write,
                                  Callbacks::Detach) == NATS_OK;
}

void NatsLoop::ForgetSocket() {
  {
    MutexLock lock(mutex_);
    fd_ = -1;
    over_ = true;
  }
  Wake();
}

void NatsLoop::Sever() {
  MutexLock lock(mutex_);
  if (fd_ >= 0) (void)::shutdown(fd_, SHUT_RDWR);
}

void NatsLoop::Wake() {
  // The thread says that it sleeps before it looks at what is wanted; who wants something says so before he looks here.
  if (!sleeping_) return;
  const std::uint64_t one = 1;
  (void)!::write(wake_fd_, &one, sizeof one);
}

void NatsLoop::WaitForRead() { MutexLock lock(reading_mutex_); }

void NatsLoop::EndReading() {
  MutexLock lock(reading_mutex_);
  reading_ended_ = true;
}

void NatsLoop::WaitForWrite(std::chrono::milliseconds timeout) {
  MutexLock lock(mutex_);
  ++write_waiters_;
  (void)written_.WaitUntil(mutex_, std::chrono::steady_clock::now() + timeout);
  --write_waiters_;
}

void NatsLoop::Run() {
  // A write is tried at once: the socket has room more often than not, and poll would cost a call to learn it. Only
  // what did not fit waits for POLLOUT.
  bool tried = false;
  while (!stopping_) {
    sleeping_ = true;
    natsConnection* connection = nullptr;
    int fd = -1;
    {
      MutexLock lock(mutex_);
      connection = connection_;
      fd = fd_;
    }
    const bool write = fd >= 0 && wants_write_;
    if (write && !tried) {
      sleeping_ = false;
      WriteNow();
      tried = true;
      continue;
    }
    if (stopping_) return;
    pollfd descriptors[2] = {{wake_fd_, POLLIN, 0}, {fd, static_cast<short>(write ? POLLIN | POLLOUT : POLLIN), 0}};
    const int ready = ::poll(descriptors, 2, -1);
    sleeping_ = false;
    tried = false;
    if (ready <= 0) continue;
    if (descriptors[0].revents != 0) {
      std::uint64_t ignored = 0;
      (void)!::read(wake_fd_, &ignored, sizeof ignored);
    }
    if ((descriptors[1].revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
      MutexLock lock(reading_mutex_);
      if (reading_ended_) continue;
      natsConnection_ProcessReadEvent(connection);
      ++reads_;
    }
  }
}

thread_local const NatsLoop* NatsLoop::WriteAtOnce::writing_ = nullptr;

NatsLoop::WriteAtOnce::~WriteAtOnce() {
  writing_ = nullptr;
  if (loop_ == nullptr) return;
  loop_->WriteNow();
  if (loop_->wants_write_) loop_->Wake();  // not all of it fitted
}

void NatsLoop::WriteNow() {
  natsConnection* connection = nullptr;
  {
    MutexLock lock(mutex_);
    if (fd_ >= 0) connection = connection_;
  }
  {
    MutexLock lock(writing_mutex_);
    if (connection != nullptr && wants_write_) natsConnection_ProcessWriteEvent(connection);
  }
  if (write_waiters_ == 0) return;
  MutexLock lock(mutex_);
  written_.NotifyAll();
}

}  // namespace kps
