// A host in this process whose plugin is swapped, and what its streams carry meanwhile.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "host/core/runtime.h"
#include "host/plugin/reloader.h"

namespace kps::swap_test {

// Instrumented libraries that are unloaded would take their reports with them.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

class Folder {
 public:
  Folder();
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class LogLines : public Logger {
 public:
  void Log(LogLevel level, std::string_view stream_id, std::string_view text) override;
  bool Has(std::string_view text) const;
  std::string All() const;

 private:
  mutable std::mutex mutex_;
  std::string lines_;
};

class SystemClock : public Clock {
 public:
  std::int64_t NowNs() const override {
    return std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  }
};

// Builds of one plugin, where its host looks for it. A build replaces the file in one step, as kps_add_plugin() does.
class Builds {
 public:
  explicit Builds(std::string plugin) : plugin_(std::move(plugin)) { Good(); }
  const std::string& file() const { return file_; }
  // Works, and has a content of its own.
  void Good();
  // Does not: one way after the other.
  void Bad();
  const std::string& bad() const { return bad_; }  // the last one
  void Spoiled(const std::string& how);
  void Content(const std::string& content);

 private:
  const std::string plugin_;
  const Folder folder_;
  const std::string file_ = folder_ / (plugin_ + ".so");
  std::uint64_t good_ = 0;
  std::size_t bad_number_ = 0;
  std::string bad_;
};

class Host {
 public:
  struct Options {
    std::string url = "memory:";
    bool watch = false;
    std::chrono::milliseconds timeout{10'000};
    std::chrono::milliseconds debounce{50};
    std::string static_json = "{}";
    bool no_unload = kSanitized;
    std::vector<std::string> copies_below{};
  };
  Host(const Builds& builds, Options options);
  ~Host();

  void Set(std::vector<StreamSpec> streams, JsonMembers config = {});
  Reloader& reloader() { return *reloader_; }
  Runtime& runtime() { return *runtime_; }
  Transport& transport() { return *transport_; }
  LogLines& log() { return log_; }
  bool Has(const KnownEvent& type) const;
  bool Healthy(const std::string& stream) const;
  std::uint64_t Counter(const std::string& stream, const std::string& name) const;
  void Stop();

 private:
  LogLines log_;
  SystemClock clock_;
  std::unique_ptr<Reloader> reloader_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Runtime> runtime_;
};

// What comes on a channel, counted by number.
class Receiver {
 public:
  using NumberOf = std::function<std::uint64_t(std::string_view payload)>;
  struct Counts {
    std::uint64_t end = 0;  // one more than the highest
    std::uint64_t received = 0;
    std::uint64_t disordered = 0;  // not the one after the last
    std::chrono::nanoseconds longest_gap{0};
  };
  Receiver(Transport* transport, const std::string& channel, NumberOf number_of);
  ~Receiver();
  Counts Look() const;
  void ForgetGap();

 private:
  std::unique_ptr<Subscription> subscription_;
  mutable std::mutex mutex_;
  Counts counts_;
  std::jthread thread_;
};

}  // namespace kps::swap_test
