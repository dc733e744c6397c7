// Keeps the plugin that runs the one that its file holds: takes a private copy, tries it in a child process, loads it,
// and has the runtime move its streams. Whatever fails leaves the version before in its place.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "host/core/clock.h"
#include "host/core/logger.h"
#include "host/core/mutex.h"
#include "host/core/plugin.h"
#include "host/core/plugin_control.h"
#include "host/core/runtime.h"
#include "host/plugin/plugin_watch.h"
#include "host/plugin/snapshot.h"
#include "host/plugin/trust.h"

namespace kps {

class Reloader : public PluginControl {
 public:
  // From so many resident versions on, a warning tells of it; that many are the most.
  static constexpr std::size_t kResidentWarned = 10;
  static constexpr std::size_t kResidentMax = 64;

  struct Options {
    std::string file;
    std::string static_json = "{}";
    std::string program = "/proc/self/exe";     // that is run as PROGRAM --preflight
    std::chrono::milliseconds timeout{10'000};  // of one step
    bool watch = false;
    std::chrono::milliseconds debounce{100};  // the file is looked at when it has been left alone for so long
    bool no_unload = false;
    PluginTrust trust{};
    std::vector<std::string> copies_below{};  // where to look for a directory for copies; empty: as Snapshots::Open
  };

  // Loads the first version. Errors are those of LoadPlugin, and of trust.h; RESOURCE_EXHAUSTED: the file cannot be
  // watched. The pointers outlive the reloader.
  static Result<std::unique_ptr<Reloader>> Open(Options options, Logger* logger, const Clock* clock);
  // Ends as Stop does.
  ~Reloader() override;

  // The version that was loaded first. Once, before Start.
  std::shared_ptr<Plugin> TakeFirst() { return std::move(first_); }
  // From now on `runtime`, which was created with it, is swapped; before that, nothing else is called. It lives until
  // Stop has returned.
  void Start(Runtime* runtime);
  // No swap begins any more, and one that is under way is given up. Any thread.
  void BeginStop();
  // And waits for it.
  void Stop();

  PluginStatus Status() const override;
  Result<std::string> Reload() override;
  // As Reload, soon, on another thread. Does not wait.
  void Request();

 private:
  enum class Why { kChanged, kAsked };
  struct Loaded {
    std::shared_ptr<Plugin> plugin;
    Snapshot snapshot;
    std::string build_id;
  };

  Reloader(Options options, Logger* logger, const Clock* clock);

  void Run();
  bool AwaitReason(Why* why);  // false: stopped
  Result<std::string> Swap(Why why) KPS_REQUIRES(swap_mutex_);
  Result<Loaded> Load(const Snapshot& snapshot) KPS_REQUIRES(swap_mutex_);
  Result<std::string> SwapTo(const Snapshot& snapshot) KPS_REQUIRES(swap_mutex_);
  // Tells it, and returns it in a sentence.
  std::string Succeed(const PluginStatus& before, const Runtime::Swapped& swapped);
  Error Fail(const Error& error);
  void Show(const Loaded& loaded);
  // Sentences name the file, and not its copy.
  Error Named(const Error& error, const Snapshot& snapshot) const;

  const Options options_;
  Logger* const logger_;
  const Clock* const clock_;
  std::unique_ptr<PluginWatch> watch_;  // null: it is not watched
  std::shared_ptr<Plugin> first_;
  Runtime* runtime_ = nullptr;
  std::stop_source stop_;

  std::atomic<bool> reloading_{false};
  Mutex swap_mutex_;                                                  // one swap at a time
  std::unique_ptr<Snapshots> snapshots_ KPS_GUARDED_BY(swap_mutex_);  // null: nowhere to copy to
  std::string refused_sha256_ KPS_GUARDED_BY(swap_mutex_);

  mutable Mutex mutex_;
  CondVar changed_;
  PluginStatus status_ KPS_GUARDED_BY(mutex_);
  bool requested_ KPS_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace kps
