// Writing where a signal must not come.
#ifndef KPS_PLUGINS_NATS_WITHOUT_SIGPIPE_H
#define KPS_PLUGINS_NATS_WITHOUT_SIGPIPE_H

#include <pthread.h>
#include <signal.h>

namespace kps::plugins {

// A server that requires TLS gets it, also where it was not asked for; then a write to a connection that has gone
// raises SIGPIPE, which the host may not ignore.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &former_);
  }
  ~WithoutSigpipe() {
    if (sigismember(&former_, SIGPIPE) != 0) return;
    const timespec now = {};
    while (sigtimedwait(&sigpipe_, nullptr, &now) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &former_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t sigpipe_;
  sigset_t former_;
};

}  // namespace kps::plugins

#endif
