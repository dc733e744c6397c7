// The thread that reads and writes the socket of one libnats connection. Internal to host/transport.
//
// libnats brings threads of its own for that, but with them (3.4.1) two things are lost without a word: what was
// buffered when a write timed out, and the answer to a PING that could not be written, which
// natsConnection_FlushTimeout takes for given. With a loop of ours (natsOptions_SetEventLoop) a write never waits and a
// PING is always answered or fails. What waits to be written goes out at once when the socket is idle, and in large
// pieces when it is not.
//
// In this mode libnats keeps its parser when it reconnects, so what a connection that ended inside a message left there
// would spoil what the next one brings. A loop therefore serves one socket and no second (nats_link.h).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>

#include "host/core/error.h"
#include "host/core/mutex.h"

typedef struct __natsConnection natsConnection;
typedef struct __natsOptions natsOptions;

namespace kps {

class NatsLoop {
 public:
  // RESOURCE_EXHAUSTED: no descriptor is left.
  static Result<std::unique_ptr<NatsLoop>> Start();
  // The connection must have been closed.
  ~NatsLoop();
  NatsLoop(const NatsLoop&) = delete;
  NatsLoop& operator=(const NatsLoop&) = delete;

  // Makes the connection that is opened with these options use this loop. False: libnats has no memory.
  bool Install(natsOptions* options);

  // The socket has gone. It becomes true while libnats holds its connection: what was published before may be lost,
  // and what is published after is not accepted. Any thread.
  bool over() const { return over_; }

  // It is another number once something has been read since. Any thread.
  std::uint64_t reads() const { return reads_; }

  // Ends the socket, as if the server had. Any thread.
  void Sever();

  // Waits until what is being read just now has been given to the subscriptions. Not from a callback of libnats. Any
  // thread.
  void WaitForRead();

  // Nothing is read any more when it returns. libnats (3.4.1) closes a socket without regard to a read that is under
  // way, which may then be one of another socket with the same number. Not from a callback of libnats. Any thread.
  void EndReading();

  // What this thread makes libnats want to write while one of these exists, it writes itself, at its end: sooner
  // than the loop's thread, which has to wake up first. For one message at a time; under load that thread writes larger
  // pieces.
  class WriteAtOnce {
   public:
    // `loop` may be null: nothing is written at once.
    explicit WriteAtOnce(NatsLoop* loop) : loop_(loop) { writing_ = loop; }
    ~WriteAtOnce();
    WriteAtOnce(const WriteAtOnce&) = delete;
    WriteAtOnce& operator=(const WriteAtOnce&) = delete;

   private:
    friend class NatsLoop;
    NatsLoop* const loop_;
    static thread_local const NatsLoop* writing_;
  };

  // Waits until something was written, or the time is over. Any thread.
  void WaitForWrite(std::chrono::milliseconds timeout);

 private:
  struct Callbacks;
  explicit NatsLoop(int wake_fd);
  void Run();
  void WriteNow();
  void Wake();
  void ForgetSocket();

  const int wake_fd_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> over_{false};
  std::atomic<std::uint64_t> reads_{0};
  std::atomic<bool> wants_write_{false};
  std::atomic<bool> sleeping_{false};  // the thread is in poll, or about to be
  std::atomic<int> write_waiters_{0};

  Mutex writing_mutex_;  // held while libnats writes, which it must not do with nothing to write
  Mutex reading_mutex_;  // held while libnats reads
  bool reading_ended_ KPS_GUARDED_BY(reading_mutex_) = false;

  Mutex mutex_;
  CondVar written_;
  natsConnection* connection_ KPS_GUARDED_BY(mutex_) = nullptr;
  int fd_ KPS_GUARDED_BY(mutex_) = -1;  // libnats's; -1: there is none

  std::thread thread_;
};

}  // namespace kps
