#include "tests/faults/faulty_store.h"

#include <algorithm>

namespace kps::faults {

std::uint64_t FaultyStore::PutResumePoint(std::string_view, std::string_view position, std::string_view run,
                                          std::uint64_t message_count) {
  simulation_->AwaitOpen();
  if (simulation_->dead()) return newest_.number + 1;
  newest_ = {newest_.number + 1, {std::string(position), std::string(run), message_count}, {}};
  simulation_->Note("PutResumePoint", static_cast<std::int64_t>(newest_.number),
                    static_cast<std::int64_t>(message_count));
  handed_over_(newest_.point);
  CatchUp();
  return newest_.number;
}

void FaultyStore::CatchUp() {
  if (saving_ && saving_->done_at <= simulation_->Now()) {
    stored_ = std::move(*saving_);
    saving_.reset();
    simulation_->Note("stored", static_cast<std::int64_t>(stored_.number));
  }
  if (saving_ || newest_.number == stored_.number) return;
  saving_ = newest_;
  const bool fails = simulation_->Happens(Fault::kStoreFails);
  saving_->done_at = simulation_->Now() + milliseconds(simulation_->Below(fails ? 20'000 : 5));
}

std::uint64_t FaultyStore::stored() const {
  if (!simulation_->dead()) const_cast<FaultyStore*>(this)->CatchUp();  // time has passed meanwhile
  return stored_.number;
}

Error FaultyStore::Flush(milliseconds timeout) {
  simulation_->AwaitOpen();
  const Time deadline = simulation_->Now() + timeout;
  simulation_->Call("Flush of the state", timeout.count());
  if (simulation_->dead()) return Error(Code::kUnavailable, "dead");
  for (CatchUp(); stored_.number != newest_.number; CatchUp()) {
    if (simulation_->Now() >= deadline) return Error(Code::kDeadlineExceeded, "not yet");
    simulation_->PassUntil(std::min(deadline, saving_->done_at));
  }
  return {};
}

void FaultyStore::Close() {
  saving_.reset();
  stored_ = newest_;
}

void FaultyStore::Kill() {
  saving_.reset();
  newest_ = stored_;
}

}  // namespace kps::faults
