// A stream from its first start to its last end: it is stopped, handed over and killed in between.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "host/core/stream_runner.h"
#include "tests/faults/simulation.h"

namespace kps::faults {

class Lifetimes {
 public:
  struct Hooks {
    std::function<void()> killed;                         // the process is, at this moment
    std::function<ResumePoint()> restarted;               // another process begins; what it finds stored
    std::function<void(const Ledger::Figures&)> account;  // of a process that has ended in order
    std::function<void(bool in_order)> ended;  // a process has; in order: it was not killed, and no fault came between
  };
  Lifetimes(Simulation* simulation, Hooks hooks) : simulation_(simulation), hooks_(std::move(hooks)) {}

  void Run(StreamSpec stream, const std::shared_ptr<Connector>& connector, StreamEnvironment environment);
  // Of the stream's thread: there is nothing left to do.
  void Finish();
  std::uint64_t kills() const { return kills_; }
  std::uint64_t restarts() const { return restarts_; }

 private:
  enum class End { kNone, kHandOver, kDrain, kKill };

  bool Stop(End how);
  void Interrupt(bool give_up);
  // At the end of a process.
  void Account(const StreamSpec& stream, const StreamEnvironment& environment, bool killed);

  Simulation* const simulation_;
  const Hooks hooks_;
  std::shared_ptr<StreamRunner> runner_;
  End end_ = End::kNone;
  bool finished_ = false;
  std::uint64_t faults_before_stop_ = 0;
  std::uint64_t kills_ = 0;
  std::uint64_t restarts_ = 0;
};

}  // namespace kps::faults
