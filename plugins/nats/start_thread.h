// Threads of a plugin.
#ifndef KPS_PLUGINS_NATS_START_THREAD_H
#define KPS_PLUGINS_NATS_START_THREAD_H

#include <pthread.h>
#include <signal.h>

#include <kps/plugin.hpp>
#include <system_error>
#include <thread>
#include <utility>

namespace kps::plugins {

// Signals do not reach it: they are the host's, and a write to a connection that has gone must not raise one. Throws
// Failure: there is no thread left.
template <typename Body>
std::thread start_thread(Body body) {
  sigset_t all;
  sigset_t former;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &former);  // it begins with the mask of this one
  try {
    std::thread thread(std::move(body));
    pthread_sigmask(SIG_SETMASK, &former, nullptr);
    return thread;
  } catch (const std::system_error& error) {
    pthread_sigmask(SIG_SETMASK, &former, nullptr);
    throw plugin::errno_failure(error.code().value(), "start a thread");
  }
}

}  // namespace kps::plugins

#endif
