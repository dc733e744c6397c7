#include "host/core/reconciler.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace kps {
namespace {

// Whether `to` can go on where `from` ends. What is on its way on an egress stream belongs to its channel.
bool CanHandOver(const StreamSpec& from, const StreamSpec& to) {
  return from.direction == to.direction && (from.direction == Direction::kIngress || from.channel == to.channel);
}

// Waits until it has ended, or does not come back from its plugin: then that holds up nobody but itself. At most until
// `deadline`.
void AwaitEnd(StreamRunner* runner, const Clock& clock, StreamControl::TimePoint deadline) {
  constexpr std::chrono::milliseconds kLookAgain{100};
  while (clock.Now() < deadline && !runner->WaitUntilEnded(std::min(deadline, clock.Now() + kLookAgain))) {
    if (const auto call = runner->CurrentCall(); call && call->overdue) return;
  }
}

}  // namespace

Reconciler::Reconciler(StreamEnvironment environment, Metrics* metrics)
    : environment_(std::move(environment)),
      metrics_(metrics),
      mover_([this] { return MoveNext(); }, environment_.ending) {}

Reconciler::~Reconciler() { Shutdown(); }

Result<Reconciler::Change> Reconciler::Prepare(StreamMap desired) const {
  Change change;
  StreamMap current;
  for (const auto& [id, entry] : CopyRunning()) current.emplace(id, entry.runner->stream());
  change.plan = PlanStreams(current, desired);
  for (const auto* ids : {&change.plan.start, &change.plan.restart}) {
    for (const std::string& id : *ids) {
      auto runner = StreamRunner::Create(desired.at(id), environment_);
      if (!runner.ok()) {
        return Error(runner.error().code(), "stream " + std::to_string(change.runners.size() + 1) + " of " +
                                                std::to_string(change.plan.start.size() + change.plan.restart.size()) +
                                                " that are to start cannot: " + runner.error().message());
      }
      change.runners.emplace(id, std::move(runner.value()));
    }
  }
  change.desired = std::move(desired);
  return change;
}

void Reconciler::Apply(Change change, JsonMembers config, std::shared_ptr<Connector> connector, Waiting try_again) {
  std::shared_ptr<Connector> retired;
  {
    MutexLock lock(apply_mutex_);
    std::erase_if(stopped_, [](const Runner& runner) { return runner->ended(); });
    if (connector != connector_) {
      retired = std::exchange(connector_, std::move(connector));
      ++generation_;
    }
    RunningMap running = CopyRunning();
    for (const std::string& id : change.plan.stop) Stop(&running, id);
    for (const std::string& id : change.plan.restart) {
      environment_.logger->Log(LogLevel::kInfo, id, "stream changed: restarting");
      Running& entry = running.at(id);
      entry = Restart(entry.runner, change.runners.at(id));
    }
    for (const std::string& id : change.plan.keep) running.at(id).runner->TryAgain(try_again);
    // Egress first: what an ingress stream of this request publishes finds its subscriber.
    for (const Direction direction : {Direction::kEgress, Direction::kIngress}) {
      for (const std::string& id : change.plan.start) {
        if (change.desired.at(id).direction != direction) continue;
        running[id] = Start(change.runners.at(id), StoppedRunner(id));
      }
    }
    saved_points_.clear();
    MutexLock state_lock(state_mutex_);
    running_.swap(running);
    config_.swap(config);
  }
  if (retired) mover_.Start(std::move(retired));
}

void Reconciler::Resume(std::map<std::string, ResumePoint> points) {
  MutexLock lock(apply_mutex_);
  saved_points_ = std::move(points);
}

void Reconciler::Stop(RunningMap* running, const std::string& id) {
  const auto node = running->extract(id);
  node.mapped().runner->RequestStop(StopMode::kDrain);
  environment_.events->RemoveStream(id);
  metrics_->RemoveStream(id);
  environment_.ledgers->Close(id);
  environment_.logger->Log(LogLevel::kInfo, id, "stream removed");
  stopped_.push_back(node.mapped().runner);
}

Reconciler::Running Reconciler::Restart(const Runner& former, Runner runner) {
  former->RequestStop(CanHandOver(former->stream(), runner->stream()) ? StopMode::kHandOver : StopMode::kDrain);
  // Its events speak of the former run.
  environment_.events->RemoveStream(runner->stream().id);
  return Start(std::move(runner), former);
}

Reconciler::Running Reconciler::Start(Runner runner, Runner predecessor) {
  const std::string& id = runner->stream().id;
  metrics_->AddStream(id);
  const auto saved = saved_points_.find(id);
  runner->Launch(connector_, std::move(predecessor), saved == saved_points_.end() ? ResumePoint() : saved->second);
  return {std::move(runner), generation_};
}

Reconciler::Runner Reconciler::StoppedRunner(const std::string& id) const {
  // The last one: it waits for those before it.
  for (auto runner = stopped_.rbegin(); runner != stopped_.rend(); ++runner) {
    if ((*runner)->stream().id == id) return *runner;
  }
  return nullptr;
}

StreamMover::Moved Reconciler::MoveNext() {
  MutexLock lock(apply_mutex_);
  if (swapping_) return {};
  const RunningMap running = CopyRunning();
  // The first one after the last one moved: each gets its turn, however often the connector is another.
  auto next = running.end();
  for (auto entry = running.begin(); entry != running.end(); ++entry) {
    if (entry->second.generation == generation_) continue;
    if (next == running.end() || (next->first <= last_moved_ && entry->first > last_moved_)) next = entry;
  }
  if (next == running.end()) return {};
  const auto& [id, entry] = *next;
  environment_.logger->Log(LogLevel::kInfo, id, "moving the stream to the new connector");
  last_moved_ = id;
  const bool carried = entry.runner->subscribed();
  entry.runner->RequestMove(std::make_shared<StreamMove>(connector_, StreamMove::Mode::kAnyway,
                                                         environment_.clock->Now() + environment_.drain_timeout));
  MutexLock state_lock(state_mutex_);
  running_[id].generation = generation_;
  return {entry.runner, carried};
}

Result<Reconciler::Swapped> Reconciler::Swap(std::shared_ptr<Connector> connector, std::chrono::milliseconds timeout,
                                             std::stop_token stop) {
  SetSwapping(true);
  Swapped swapped;
  std::vector<Runner> gone_over;
  for (const auto& [id, entry] : CopyRunning()) {
    const auto move =
        std::make_shared<StreamMove>(connector, StreamMove::Mode::kIfItWorks, environment_.clock->Now() + timeout);
    entry.runner->RequestMove(move);
    const StreamMove::Outcome outcome = entry.runner->AwaitMove(move.get(), stop);
    if (outcome.result == StreamMove::Result::kRefused) {
      MoveBack(gone_over, timeout, stop);
      SetSwapping(false);
      mover_.Start(std::move(connector));  // it is let go, and moves go on that were under way
      return Error(outcome.error.code(), "stream " + JsonString(id) + ": " + outcome.error.message());
    }
    if (stop.stop_requested()) {
      mover_.Start(std::move(connector));
      return Error(Code::kUnavailable, "the host is stopping");
    }
    gone_over.push_back(entry.runner);
    if (outcome.result == StreamMove::Result::kStands) swapped.standing.push_back(id);
    if (outcome.pause.count() > 0) swapped.pauses.push_back(outcome.pause);
  }
  {
    MutexLock lock(apply_mutex_);
    connector.swap(connector_);
    ++generation_;
    swapping_ = false;
    MutexLock state_lock(state_mutex_);
    for (auto& [id, entry] : running_) entry.generation = generation_;
  }
  mover_.Start(std::move(connector));
  return swapped;
}

void Reconciler::MoveBack(const std::vector<Runner>& runners, std::chrono::milliseconds timeout,
                          const std::stop_token& stop) {
  std::shared_ptr<Connector> connector;
  {
    MutexLock lock(apply_mutex_);
    connector = connector_;
  }
  for (const Runner& runner : runners) {
    const auto move =
        std::make_shared<StreamMove>(connector, StreamMove::Mode::kAnyway, environment_.clock->Now() + timeout);
    runner->RequestMove(move);
    (void)runner->AwaitMove(move.get(), stop);
  }
}

void Reconciler::SetSwapping(bool swapping) {
  MutexLock lock(apply_mutex_);
  swapping_ = swapping;
}

Reconciler::RunningMap Reconciler::CopyRunning() const {
  MutexLock lock(state_mutex_);
  return running_;
}

std::vector<StreamView> Reconciler::Streams() const {
  std::vector<StreamView> views;
  for (const auto& [id, entry] : CopyRunning())
    views.push_back({entry.runner->stream(), entry.runner->subscribed(), false});
  return views;
}

JsonMembers Reconciler::Config() const {
  MutexLock lock(state_mutex_);
  return config_;
}

void Reconciler::Shutdown() {
  std::vector<Runner> ending;
  std::shared_ptr<Connector> connector;
  {
    MutexLock lock(apply_mutex_);
    ending.swap(stopped_);
    connector = std::move(connector_);
    RunningMap running;
    MutexLock state_lock(state_mutex_);
    running.swap(running_);
    for (auto& [id, entry] : running) ending.push_back(std::move(entry.runner));
  }
  // Ingress first, so that what it has read still finds its egress stream when both are here; but half of the time at
  // the most, as all of them together have no more than one drain.
  const auto deadline = environment_.clock->Now() + environment_.drain_timeout;
  const auto stop = [&](Direction direction) {
    for (const Runner& runner : ending) {
      if (runner->stream().direction == direction) runner->RequestStop(StopMode::kDrain, deadline);
    }
  };
  stop(Direction::kIngress);
  for (const Runner& runner : ending) {
    if (runner->stream().direction != Direction::kIngress) continue;
    AwaitEnd(runner.get(), *environment_.clock, deadline - environment_.drain_timeout / 2);
  }
  stop(Direction::kEgress);
  for (const Runner& runner : ending) runner->Join();
  mover_.Stop();
}

}  // namespace kps
