#include "host/state/state_dir.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "host/core/backoff.h"
#include "host/core/mutex.h"
#include "host/state/directory.h"
#include "host/state/state_file.h"

namespace kps {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr char kDesired[] = "desired";
constexpr char kPositions[] = "positions";
constexpr std::chrono::milliseconds kLongestBackoff{5'000};
constexpr std::chrono::milliseconds kLongestFlush = std::chrono::hours(24);

class StateDir : public StateStore {
 public:
  StateDir(std::unique_ptr<Directory> directory, StateDirOptions options, StateStoreListener* listener)
      : directory_(std::move(directory)), options_(std::move(options)), listener_(listener) {
    thread_ = std::thread([this] { Run(); });
  }

  ~StateDir() override {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
      work_.NotifyAll();
    }
    thread_.join();
  }

  Error Load(SavedState* state) override;
  Error SaveDesired(const StreamMap& streams, const JsonMembers& config) override;
  std::uint64_t PutResumePoint(std::string_view stream_id, std::string_view position, std::string_view run,
                               std::uint64_t message_count) override;
  std::uint64_t stored() const override { return stored_; }
  Error Flush(std::chrono::milliseconds timeout) override;

 private:
  // A desired stream.
  struct Entry {
    std::uint64_t generation = 0;
    std::optional<ResumePoint> point;
    std::string forgotten_run;  // of the source that the stream had before
  };
  enum File { kDesiredFile, kPositionsFile };

  // Reads and decodes one file into *value, which stays as it is when there is none. The sentence of DATA_LOSS goes on
  // from the file's name.
  template <typename Value, typename Decode>
  Error ReadFile(const char* name, Decode decode, Value* value) const;
  Error SetAside(const char* name, const Error& reason, std::string* told) const;
  void Adopt(DesiredState desired);

  void Run();
  bool Pending() const KPS_REQUIRES(mutex_) { return changes_ > stored_ || probe_; }
  void WaitForWork(SteadyClock::time_point not_before) KPS_REQUIRES(mutex_);
  std::span<const SavedPoint> TakeSnapshot() KPS_REQUIRES(mutex_);
  void Wake() KPS_REQUIRES(mutex_);
  void Report(File file, const Error& error);

  const std::unique_ptr<Directory> directory_;
  const StateDirOptions options_;
  StateStoreListener* const listener_;

  // Of Load and SaveDesired, which are called one at a time.
  bool loaded_ = false;
  DesiredState desired_;
  std::string desired_text_;

  Mutex mutex_;  // never held while a file is written
  CondVar work_;
  CondVar saved_;
  std::map<std::string, Entry, std::less<>> entries_ KPS_GUARDED_BY(mutex_);  // every desired stream
  std::uint64_t changes_ KPS_GUARDED_BY(mutex_) = 0;
  bool idle_ KPS_GUARDED_BY(mutex_) = false;   // the thread waits for a change
  bool probe_ KPS_GUARDED_BY(mutex_) = false;  // to write without a change: SaveDesired failed, is there room again?
  int flushing_ KPS_GUARDED_BY(mutex_) = 0;    // calls of Flush
  bool stopping_ KPS_GUARDED_BY(mutex_) = false;
  Error trouble_ KPS_GUARDED_BY(mutex_);  // why the resume points could not be written last
  std::atomic<std::uint64_t> stored_{0};  // set under mutex_

  Mutex report_mutex_;  // held while the listener is called, so that it hears changes in their order
  bool failing_[2] KPS_GUARDED_BY(report_mutex_) = {false, false};

  // Of the thread.
  std::vector<SavedPoint> snapshot_;  // longer than what was taken last: its strings are kept for the next time
  std::string positions_text_;
  std::thread thread_;
};

template <typename Value, typename Decode>
Error StateDir::ReadFile(const char* name, Decode decode, Value* value) const {
  auto text = directory_->Read(name);
  if (!text.ok()) return text.error();
  if (!text.value()) return {};
  Result<Value> decoded = decode(*text.value(), options_.connector_id);
  if (!decoded.ok() && decoded.error().code() != Code::kDataLoss) {
    return Error(decoded.error().code(), directory_->PathOf(name) + ' ' + decoded.error().message());
  }
  if (!decoded.ok()) return decoded.error();
  *value = std::move(decoded.value());
  return {};
}

Error StateDir::SetAside(const char* name, const Error& reason, std::string* told) const {
  auto aside = directory_->SetAside(name);
  if (!aside.ok()) return aside.error();
  if (!told->empty()) *told += "; ";
  *told += directory_->PathOf(name) + ' ' + reason.message() + "; it was set aside as " + aside.value();
  return {};
}

Error StateDir::Load(SavedState* state) {
  *state = {};
  if (loaded_) return Error(Code::kFailedPrecondition, "the state has been loaded already");
  DesiredState desired;
  std::vector<SavedPoint> points;
  Error of_desired = ReadFile(kDesired, DecodeDesired, &desired);
  Error of_points = ReadFile(kPositions, DecodePositions, &points);
  for (const Error* error : {&of_desired, &of_points}) {
    if (!error->ok() && error->code() != Code::kDataLoss) return *error;
  }

  std::string told;
  // Resume points mean nothing without their streams, and the next write would forget them.
  if (!of_desired.ok() && of_points.ok() && !points.empty()) {
    of_points = Error(Code::kDataLoss, "belongs to " + directory_->PathOf(kDesired));
    points.clear();
  }
  // This one first: when the second cannot be renamed, the next Load begins anew and nothing is forgotten.
  if (!of_points.ok()) {
    if (Error error = SetAside(kPositions, of_points, &told); !error.ok()) return error;
  }
  if (!of_desired.ok()) {
    if (Error error = SetAside(kDesired, of_desired, &told); !error.ok()) return error;
  }

  // No number is given twice, though one file was removed, or put back from an earlier time.
  for (const SavedPoint& saved : points) desired.saves = std::max(desired.saves, saved.generation);
  state->streams = desired.streams;
  state->config = desired.config;
  for (SavedPoint& saved : points) {
    const auto generation = desired.generations.find(saved.stream_id);
    if (generation == desired.generations.end() || generation->second != saved.generation) continue;
    state->resume_points[saved.stream_id] = std::move(saved.point);
  }
  Adopt(std::move(desired));
  MutexLock lock(mutex_);
  for (const auto& [id, point] : state->resume_points) entries_[id].point = point;
  loaded_ = true;
  return told.empty() ? Error() : Error(Code::kDataLoss, told);
}

// Brings the entries in line with what is desired.
void StateDir::Adopt(DesiredState desired) {
  MutexLock lock(mutex_);
  bool forgotten = std::erase_if(entries_, [&](const auto& item) { return !desired.streams.contains(item.first); }) > 0;
  for (const auto& [id, generation] : desired.generations) {
    Entry& entry = entries_[id];
    if (entry.point && entry.generation != generation) {
      entry.forgotten_run = std::move(entry.point->run);
      entry.point.reset();
      forgotten = true;
    }
    entry.generation = generation;
  }
  desired_ = std::move(desired);
  if (forgotten) {
    ++changes_;
    Wake();
  }
}

Error StateDir::SaveDesired(const StreamMap& streams, const JsonMembers& config) {
  if (!loaded_) return Error(Code::kFailedPrecondition, "the state has not been loaded, and is not written over");
  // Counted when it fails, too: nobody knows what a disk has kept of it.
  DesiredState desired{++desired_.saves, streams, {}, config};
  for (const auto& [id, stream] : streams) {
    const auto before = desired_.streams.find(id);
    const bool same = before != desired_.streams.end() && before->second.direction == stream.direction &&
                      before->second.metadata_json == stream.metadata_json;
    desired.generations[id] = same ? desired_.generations.at(id) : desired.saves;
  }
  EncodeDesired(desired, options_.connector_id, &desired_text_);
  Error error = directory_->Replace(kDesired, desired_text_);
  if (error.ok()) Adopt(std::move(desired));
  Report(kDesiredFile, error);
  if (!error.ok()) {
    MutexLock lock(mutex_);
    probe_ = true;
    Wake();
  }
  return error;
}

std::uint64_t StateDir::PutResumePoint(std::string_view stream_id, std::string_view position, std::string_view run,
                                       std::uint64_t message_count) {
  MutexLock lock(mutex_);
  const auto found = entries_.find(stream_id);
  if (found == entries_.end()) return changes_;
  Entry& entry = found->second;
  if (!entry.forgotten_run.empty() && run == entry.forgotten_run) return changes_;
  if (!entry.point) entry.point.emplace();
  // Into the memory that is there: nothing is allocated once warm.
  entry.point->position.assign(position);
  entry.point->run.assign(run);
  entry.point->message_count = message_count;
  Wake();
  return ++changes_;
}

Error StateDir::Flush(std::chrono::milliseconds timeout) {
  const auto deadline = SteadyClock::now() + std::min(timeout, kLongestFlush);
  MutexLock lock(mutex_);
  const std::uint64_t target = changes_;
  ++flushing_;
  work_.NotifyAll();
  bool in_time = true;
  while (stored_ < target && in_time) in_time = saved_.WaitUntil(mutex_, deadline);
  --flushing_;
  if (stored_ >= target) return {};
  if (!trouble_.ok()) return trouble_;
  return Error(Code::kDeadlineExceeded,
               "the resume points were not saved within " + std::to_string(timeout.count()) + " ms");
}

// Only when it waits for this: a thread that waits for its time is left alone, thousands of times a second.
void StateDir::Wake() {
  if (std::exchange(idle_, false)) work_.NotifyAll();
}

void StateDir::WaitForWork(SteadyClock::time_point not_before) {
  while (!stopping_) {
    if (!Pending()) {
      idle_ = true;
      work_.Wait(mutex_);
      idle_ = false;
    } else if ((flushing_ > 0 && trouble_.ok()) || SteadyClock::now() >= not_before) {
      return;
    } else {
      work_.WaitUntil(mutex_, not_before);
    }
  }
}

std::span<const SavedPoint> StateDir::TakeSnapshot() {
  std::size_t count = 0;
  for (const auto& [id, entry] : entries_) {
    if (!entry.point) continue;
    if (count == snapshot_.size()) snapshot_.emplace_back();
    SavedPoint& saved = snapshot_[count++];
    saved.stream_id = id;
    saved.generation = entry.generation;
    saved.point = *entry.point;
  }
  return {snapshot_.data(), count};
}

void StateDir::Run() {
  Backoff backoff(std::random_device{}(), kLongestBackoff);
  auto not_before = SteadyClock::now();
  for (bool last = false; !last;) {
    std::span<const SavedPoint> points;
    std::uint64_t target = 0;
    {
      MutexLock lock(mutex_);
      WaitForWork(not_before);
      if (!Pending()) return;
      last = stopping_;
      points = TakeSnapshot();
      target = changes_;
    }
    not_before = SteadyClock::now() + options_.save_interval;
    EncodePositions(points, options_.connector_id, &positions_text_);
    const Error error = directory_->Replace(kPositions, positions_text_);
    if (error.ok()) {
      backoff.Reset();
    } else {
      not_before = SteadyClock::now() + backoff.Next();
    }
    Report(kPositionsFile, error);
    MutexLock lock(mutex_);
    trouble_ = error;
    if (!error.ok()) continue;
    stored_ = target;
    probe_ = false;
    saved_.NotifyAll();
  }
}

void StateDir::Report(File file, const Error& error) {
  MutexLock lock(report_mutex_);
  const bool failed = failing_[kDesiredFile] || failing_[kPositionsFile];
  failing_[file] = !error.ok();
  // The resume points went to the same disk: what was refused before can be tried again.
  if (file == kPositionsFile && error.ok()) failing_[kDesiredFile] = false;
  const bool fails = failing_[kDesiredFile] || failing_[kPositionsFile];
  if (fails != failed) listener_->OnStateStore(fails ? error : Error());
}

}  // namespace

Result<std::unique_ptr<StateStore>> OpenStateDir(const std::string& directory, StateDirOptions options,
                                                 StateStoreListener* listener) {
  auto opened = Directory::Open(directory);
  if (!opened.ok()) return opened.error();
  for (const char* name : {kDesired, kPositions}) {
    if (Error error = opened.value()->RemoveTemporary(name); !error.ok()) return error;
  }
  return std::unique_ptr<StateStore>(
      std::make_unique<StateDir>(std::move(opened.value()), std::move(options), listener));
}

}  // namespace kps
