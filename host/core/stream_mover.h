// Moves streams to the newest connector in the background, one after the other, so that at most one of them is between
// two connectors. Its thread exists only while there is something to move.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "host/core/mutex.h"
#include "host/core/plugin.h"
#include "host/core/stream_runner.h"

namespace kps {

class StreamMover {
 public:
  // The next stream waits at most this long for the one before it, and not at all for one that carried nothing anyway.
  static constexpr std::chrono::milliseconds kSettleTimeout{2000};
  struct Moved {
    std::shared_ptr<StreamRunner> runner;  // null: none is left
    bool carried = false;                  // messages, before
  };
  // Has one stream go over from its old connector to the newest one.
  using MoveNext = std::function<Moved()>;

  // `ending` outlives it.
  StreamMover(MoveNext move_next, EndingThreads* ending, std::chrono::milliseconds settle_timeout = kSettleTimeout);
  ~StreamMover();

  // Moves until `move_next` says that none is left; where a move is under way already, it goes on with what is new.
  // Then `retired`, the former connector, is let go by `ending`: its destruction may take long, and nobody waits for
  // it. Where there is no thread for it, that is done with the next Start. Any thread.
  void Start(std::shared_ptr<Connector> retired);
  // Ends after the stream that is being moved. Any thread.
  void Stop();

 private:
  void Run();
  bool MoveAll();  // false: stopped
  bool stopping();
  bool AnythingNew();  // false: the thread ends

  const MoveNext move_next_;
  EndingThreads* const ending_;
  const std::chrono::milliseconds settle_timeout_;

  Mutex mutex_;
  bool stopping_ KPS_GUARDED_BY(mutex_) = false;
  bool running_ KPS_GUARDED_BY(mutex_) = false;
  std::vector<std::shared_ptr<Connector>> retired_ KPS_GUARDED_BY(mutex_);  // since the thread last looked
  std::thread thread_ KPS_GUARDED_BY(mutex_);
};

}  // namespace kps
