#include "host/plugin/reloader.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "host/core/host_events.h"
#include "host/plugin/elf_file.h"
#include "host/plugin/load.h"
#include "host/plugin/preflight.h"

namespace kps {
namespace {

std::string Ms(std::chrono::nanoseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms", std::chrono::duration<double, std::milli>(time).count());
  return text;
}

}  // namespace

Reloader::Reloader(Options options, Logger* logger, const Clock* clock)
    : options_(std::move(options)), logger_(logger), clock_(clock) {}

Reloader::~Reloader() { Stop(); }

Result<std::unique_ptr<Reloader>> Reloader::Open(Options options, Logger* logger, const Clock* clock) {
  std::unique_ptr<Reloader> reloader(new Reloader(std::move(options), logger, clock));
  const Options& chosen = reloader->options_;
  if (Error error = CheckPlace(chosen.trust, chosen.file); !error.ok()) return error;
  if (chosen.watch) {
    // Before the file is read: a change while it is loaded is noticed.
    auto watch = PluginWatch::Open(chosen.file, chosen.debounce);
    if (!watch.ok()) return Error(watch.error().code(), "--watch: " + watch.error().message());
    reloader->watch_ = std::move(watch.value());
  }
  MutexLock lock(reloader->swap_mutex_);
  auto snapshots = chosen.copies_below.empty() ? Snapshots::Open() : Snapshots::OpenBelow(chosen.copies_below);
  if (!snapshots.ok() && !chosen.trust.sums.empty()) {
    return Error(Code::kFailedPrecondition,
                 "--plugin-sums: what was looked at has to be what is loaded, and " + snapshots.error().message());
  }
  if (!snapshots.ok()) {
    logger->Log(LogLevel::kWarn, "",
                "the plugin is loaded from its own file and cannot be swapped: " + snapshots.error().message());
    auto plugin = LoadPlugin(chosen.file, {.no_unload = chosen.no_unload});
    if (!plugin.ok()) return plugin.error();
    reloader->first_ = std::move(plugin.value());
    reloader->Show({reloader->first_, {}, BuildIdOf(chosen.file)});
    return reloader;
  }
  reloader->snapshots_ = std::move(snapshots.value());
  auto snapshot = reloader->snapshots_->Take(chosen.file);
  if (!snapshot.ok()) return snapshot.error();
  if (Error error = CheckContent(chosen.trust, chosen.file, snapshot.value().sha256); !error.ok()) return error;
  auto plugin = LoadPlugin(snapshot.value().path, {.no_unload = chosen.no_unload});
  if (!plugin.ok()) return reloader->Named(plugin.error(), snapshot.value());
  reloader->first_ = std::move(plugin.value());
  reloader->snapshots_->Keep(snapshot.value());
  reloader->Show({reloader->first_, snapshot.value(), BuildIdOf(snapshot.value().path)});
  return reloader;
}

void Reloader::Start(Runtime* runtime) {
  runtime_ = runtime;
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error& error) {
    logger_->Log(LogLevel::kError, "", std::string("the plugin is not watched, for want of a thread: ") + error.what());
  }
}

void Reloader::BeginStop() {
  stop_.request_stop();
  {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  }
  if (watch_) watch_->Wake();
}

void Reloader::Stop() {
  BeginStop();
  if (thread_.joinable()) thread_.join();
}

PluginStatus Reloader::Status() const {
  const std::size_t resident = ResidentLibraries();
  MutexLock lock(mutex_);
  PluginStatus status = status_;
  status.resident = resident;
  return status;
}

Result<std::string> Reloader::Reload() {
  // Each caller has a thread of the server's: they do not queue.
  if (reloading_.exchange(true)) return Error(Code::kUnavailable, "another reload is under way: wait for its end");
  MutexLock lock(swap_mutex_);
  auto swapped = Swap(Why::kAsked);
  reloading_ = false;
  return swapped;
}

void Reloader::Request() {
  {
    MutexLock lock(mutex_);
    requested_ = true;
    changed_.NotifyAll();
  }
  if (watch_) watch_->Wake();
}

void Reloader::Run() {
  Why why{};
  while (AwaitReason(&why)) {
    MutexLock lock(swap_mutex_);
    (void)Swap(why);  // it has told what came of it
  }
}

bool Reloader::AwaitReason(Why* why) {
  for (;;) {
    const bool file_changed = watch_ && watch_->Wait() == PluginWatch::Outcome::kChanged;
    MutexLock lock(mutex_);
    while (!watch_ && !requested_ && !stop_.stop_requested()) changed_.Wait(mutex_);
    if (stop_.stop_requested()) return false;
    *why = std::exchange(requested_, false) ? Why::kAsked : Why::kChanged;
    if (file_changed || *why == Why::kAsked) return true;
  }
}

Result<std::string> Reloader::Swap(Why why) {
  if (stop_.stop_requested()) return Error(Code::kUnavailable, "the host is stopping");
  if (!snapshots_) {
    return Fail(Error(Code::kFailedPrecondition,
                      "the plugin was loaded from its own file, as no directory for a "
                      "private copy was found: set TMPDIR to one and restart the host"));
  }
  std::error_code unknown;
  if (why == Why::kChanged && !std::filesystem::exists(options_.file, unknown)) {
    logger_->Log(LogLevel::kInfo, "", options_.file + " is gone; the loaded version goes on");
    return std::string("the file is gone");
  }
  auto snapshot = snapshots_->Take(options_.file);
  if (!snapshot.ok()) return Fail(snapshot.error());
  const std::string& sha256 = snapshot.value().sha256;
  const bool unchanged = [&] {
    MutexLock lock(mutex_);
    return sha256 == status_.sha256;
  }();
  if (unchanged || (why == Why::kChanged && sha256 == refused_sha256_)) {
    snapshots_->Discard(snapshot.value());
    if (!unchanged) return std::string("that content was refused before");
    refused_sha256_.clear();
    runtime_->Clear(kPluginSwapFailed);
    return "the file holds version " + runtime_->Descriptor().version + ", which runs already";
  }
  auto swapped = SwapTo(snapshot.value());
  if (!swapped.ok()) {
    snapshots_->Discard(snapshot.value());
    // That the host stops says nothing about the file.
    if (stop_.stop_requested()) return swapped.error();
    refused_sha256_ = sha256;
    return Fail(swapped.error());
  }
  refused_sha256_.clear();
  snapshots_->Keep(snapshot.value());
  return swapped;
}

Result<std::string> Reloader::SwapTo(const Snapshot& snapshot) {
  auto loaded = Load(snapshot);
  if (!loaded.ok()) return Named(loaded.error(), snapshot);
  auto swapped = runtime_->Swap(loaded.value().plugin, options_.timeout, stop_.get_token());
  if (!swapped.ok()) return Named(swapped.error(), snapshot);
  const PluginStatus before = Status();
  Show(loaded.value());
  return Succeed(before, swapped.value());
}

Result<Reloader::Loaded> Reloader::Load(const Snapshot& snapshot) {
  if (const std::size_t resident = ResidentLibraries(); resident >= kResidentMax) {
    return Error(Code::kResourceExhausted,
                 std::to_string(resident) + " versions are still mapped, and no more are loaded: restart the host");
  }
  if (Error error = CheckPlace(options_.trust, options_.file); !error.ok()) return error;
  if (Error error = CheckContent(options_.trust, options_.file, snapshot.sha256); !error.ok()) return error;
  if (Error error = CheckElf(snapshot.path); !error.ok()) return error;
  const PreflightRequest request{snapshot.path, options_.static_json, runtime_->PluginConfigJson()};
  if (Error error = Preflight(options_.program, request, options_.timeout, stop_.get_token()); !error.ok())
    return error;
  auto plugin = LoadPlugin(snapshot.path, {.no_unload = options_.no_unload});
  if (!plugin.ok()) return plugin.error();
  return Loaded{std::move(plugin.value()), snapshot, BuildIdOf(snapshot.path)};
}

void Reloader::Show(const Loaded& loaded) {
  MutexLock lock(mutex_);
  const PluginDescriptor& descriptor = loaded.plugin->descriptor();
  status_.name = descriptor.name;
  status_.version = descriptor.version;
  status_.file = options_.file;
  status_.loaded_file = loaded.snapshot.path;
  status_.build_id = loaded.build_id;
  status_.sha256 = loaded.snapshot.sha256;
  ++status_.generation;
  status_.loaded_at_ns = clock_->NowNs();
  status_.resident_max = kResidentMax;
  status_.watching = watch_ != nullptr;
}

std::string Reloader::Succeed(const PluginStatus& before, const Runtime::Swapped& swapped) {
  PluginStatus::Swap swap{clock_->NowNs(), swapped.from, swapped.to, swapped.pauses.size(), {}, swapped.dropped};
  for (const auto pause : swapped.pauses) swap.pause_max = std::max(swap.pause_max, pause);
  const std::string streams = std::to_string(swap.streams);
  const std::string dropped = std::to_string(swap.dropped);
  std::string text = "plugin " + before.name + " " + swap.from + " -> " + swap.to + ": " + streams +
                     (swap.streams == 1 ? " stream" : " streams") + " moved, pause " + Ms(swap.pause_max) +
                     ", messages lost " + dropped;
  if (!swapped.standing.empty()) {
    text += "; " + std::to_string(swapped.standing.size()) + " follow when they come back from the former version (" +
            swapped.standing.front() + (swapped.standing.size() > 1 ? ", ..." : "") + ")";
  }
  std::string build_id;
  {
    MutexLock lock(mutex_);
    ++status_.swaps;
    status_.last_swap = swap;
    build_id = status_.build_id;
  }
  logger_->Log(LogLevel::kInfo, "", text);
  runtime_->Clear(kPluginSwapFailed);
  runtime_->Tell(kPluginSwapped, {{"FromVersion", swap.from},
                                  {"FromBuildID", before.build_id},
                                  {"ToVersion", swap.to},
                                  {"ToBuildID", build_id},
                                  {"Streams", streams},
                                  {"PauseMax", Ms(swap.pause_max)},
                                  {"MessagesLost", dropped}});
  if (const std::size_t resident = ResidentLibraries(); resident >= kResidentWarned) {
    logger_->Log(LogLevel::kWarn, "",
                 std::to_string(resident) + " versions of the plugin are still mapped; at " +
                     std::to_string(kResidentMax) + " no more are loaded, and the host has to be restarted");
  }
  return text;
}

Error Reloader::Fail(const Error& error) {
  const std::string reason =
      options_.file + " is not used, and version " + runtime_->Descriptor().version + " goes on: " + error.message();
  {
    MutexLock lock(mutex_);
    ++status_.failures;
    status_.last_failure = PluginStatus::Failure{clock_->NowNs(), error.message()};
  }
  logger_->Log(LogLevel::kError, "", reason);
  runtime_->Raise(kPluginSwapFailed, reason);
  return Error(error.code(), reason);
}

Error Reloader::Named(const Error& error, const Snapshot& snapshot) const {
  std::string text = error.message();
  for (std::size_t at = text.find(snapshot.path); at != std::string::npos; at = text.find(snapshot.path, at)) {
    text.replace(at, snapshot.path.size(), options_.file);
    at += options_.file.size();
  }
  return Error(error.code(), std::move(text));
}

}  // namespace kps
