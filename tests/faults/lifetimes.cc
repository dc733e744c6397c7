#include "tests/faults/lifetimes.h"

namespace kps::faults {

bool Lifetimes::Stop(End how) {
  if (end_ != End::kNone) return false;
  end_ = how;
  simulation_->Note("stop", static_cast<std::int64_t>(how));
  faults_before_stop_ = simulation_->faults();
  if (how == End::kKill) {
    ++kills_;
    simulation_->set_dead(true);
    hooks_.killed();
  }
  runner_->RequestStop(how == End::kDrain ? StopMode::kDrain : StopMode::kHandOver);
  return true;
}

void Lifetimes::Interrupt(bool give_up) {
  if (!give_up) {
    constexpr End kEnds[] = {End::kHandOver, End::kDrain, End::kKill};
    Stop(kEnds[simulation_->Below(std::size(kEnds))]);
    return;
  }
  if (!finished_) simulation_->Broken("the stream does not come to an end");
  finished_ = true;
  if (!Stop(End::kKill)) simulation_->set_dead(true);
}

void Lifetimes::Account(const StreamSpec& stream, const StreamEnvironment& environment, bool killed) {
  const auto figures = environment.ledgers->Open(stream.id, stream.direction)->Read(simulation_->NowNs());
  environment.ledgers->Close(stream.id);
  hooks_.account(figures);
  if (killed || figures.in_flight == 0) return;
  simulation_->Broken("the ledger says that " + std::to_string(static_cast<std::int64_t>(figures.in_flight)) +
                      " messages of a stream that has ended are in flight");
}

void Lifetimes::Finish() {
  if (Stop(End::kDrain)) finished_ = true;
}

void Lifetimes::Run(StreamSpec stream, const std::shared_ptr<Connector>& connector, StreamEnvironment environment) {
  simulation_->interrupt = [this](bool give_up) { Interrupt(give_up); };
  std::shared_ptr<StreamRunner> predecessor;
  ResumePoint saved;
  while (!finished_) {
    end_ = End::kNone;
    runner_ = StreamRunner::Create(stream, environment).value();
    runner_->Launch(connector, std::move(predecessor), saved);
    simulation_->Open();
    runner_->Join();
    simulation_->Close();
    if (end_ != End::kHandOver) hooks_.ended(!simulation_->dead() && simulation_->faults() == faults_before_stop_);
    const bool killed = simulation_->dead();
    simulation_->set_dead(false);
    if (end_ != End::kHandOver) Account(stream, environment, killed);
    saved = {};
    if (end_ == End::kHandOver) {
      predecessor = std::move(runner_);
      continue;
    }
    runner_.reset();
    ++restarts_;
    saved = hooks_.restarted();
  }
  runner_.reset();
}

}  // namespace kps::faults
