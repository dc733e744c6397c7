// Drives a plugin through its C ABI, as a host would.
#ifndef KPS_TESTS_PLUGINS_HARNESS_H
#define KPS_TESTS_PLUGINS_HARNESS_H

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <kps/plugin.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace kps::testing {

inline std::string text(kps_str s) { return std::string(s.data == nullptr ? "" : s.data, s.size); }
inline kps_str str(const std::string& s) { return {s.data(), s.size()}; }

struct Error : std::runtime_error {
  explicit Error(const kps_error& e)
      : runtime_error(std::string(e.text, e.text_size)), code(e.code), retry_after_ms(e.retry_after_ms) {}
  kps_code code;
  uint32_t retry_after_ms;
};

// The library, one connector, and a host that remembers what it was told.
class Plugin {
 public:
  explicit Plugin(const std::string& name, const std::string& static_json = "{}") {
    library_ = dlopen((std::string(KPS_TEST_PLUGINS) + "/" + name + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr) throw std::runtime_error(dlerror());
    const auto entry = reinterpret_cast<decltype(&kps_plugin_v1)>(dlsym(library_, KPS_PLUGIN_SYMBOL));
    if (entry(KPS_ABI_VERSION + 1) != nullptr) throw std::runtime_error("accepts a host it cannot know");
    table = entry(KPS_ABI_VERSION);
    host_.struct_size = sizeof host_;
    host_.abi_version = KPS_ABI_VERSION;
    host_.context = this;
    host_.set_status = [](void* self, kps_str, kps_str id, kps_str, int32_t state, kps_str json) {
      static_cast<Plugin*>(self)->statuses[text(id)] = {state, text(json)};
    };
    host_.raise_alert = [](void* self, kps_str, kps_str id, kps_str message, int32_t severity, int32_t, kps_str) {
      static_cast<Plugin*>(self)->alerts[text(id)] = {severity, text(message)};
    };
    host_.counter_add = [](void* self, kps_str, kps_str name, uint64_t n) {
      static_cast<Plugin*>(self)->counters[text(name)] += n;
    };
    kps_error error = fresh();
    if (table->create_connector(&host_, str(static_json), str("{}"), &connector, &error) != KPS_OK) throw Error(error);
  }
  ~Plugin() {
    table->destroy_connector(connector);
    dlclose(library_);
  }

  // The entries that discover reports.
  std::vector<std::string> discover(uint32_t timeout_ms = 20000) {
    std::vector<std::string> entries;
    const kps_discover_sink sink{sizeof sink, 0, &entries, [](void* context, kps_str entry) {
                                   static_cast<std::vector<std::string>*>(context)->push_back(text(entry));
                                 }};
    kps_error error = fresh();
    if (table->discover(connector, &sink, timeout_ms, &error) != KPS_OK) throw Error(error);
    return entries;
  }

  static kps_error fresh() {
    kps_error error{};
    error.struct_size = sizeof error;
    return error;
  }

  const kps_plugin* table = nullptr;
  kps_connector* connector = nullptr;
  std::map<std::string, uint64_t> counters;
  std::map<std::string, std::pair<int32_t, std::string>> statuses;
  std::map<std::string, std::pair<int32_t, std::string>> alerts;  // severity, message

 private:
  void* library_ = nullptr;
  kps_host host_{};  // log and gauge_set stay NULL: a plugin has to cope
};

inline kps_stream stream_of(const std::string& metadata, int32_t direction, int wake_fd) {
  static const std::string id = "s1";
  return {sizeof(kps_stream), direction, str(id), str(id), str(metadata), wake_fd, 0};
}

class Consumer {
 public:
  Consumer(Plugin& plugin, const std::string& metadata, const std::string& resume = "") : plugin_(plugin) {
    const kps_stream stream = stream_of(metadata, KPS_DIRECTION_INGRESS, wake_fd);
    kps_error error = Plugin::fresh();
    const kps_bytes at{resume.data(), resume.size()};
    if (plugin.table->create_consumer(plugin.connector, &stream, at, &consumer_, &error) != KPS_OK) throw Error(error);
  }
  ~Consumer() {
    if (consumer_ != nullptr) plugin_.table->destroy_consumer(consumer_);
    close(wake_fd);
  }

  std::vector<std::string> next(uint32_t timeout_ms, uint32_t messages_max = 100, uint64_t bytes_max = 1 << 20) {
    const kps_limits limits{sizeof limits, messages_max, bytes_max};
    kps_batch batch{};
    batch.struct_size = sizeof batch;
    kps_error error = Plugin::fresh();
    if (plugin_.table->next_msg(consumer_, &limits, timeout_ms, &batch, &error) != KPS_OK) throw Error(error);
    std::vector<std::string> payloads;
    for (size_t i = 0; i < batch.message_count; ++i) {
      const kps_bytes& p = batch.messages[i].payload;
      payloads.emplace_back(p.size == 0 ? "" : static_cast<const char*>(p.data), p.size);
      const kps_bytes& id = batch.messages[i].id;
      ids.emplace_back(id.size == 0 ? "" : static_cast<const char*>(id.data), id.size);
    }
    if (batch.message_count > 0) token = batch.token;
    if (batch.message_count > 0) position.assign(static_cast<const char*>(batch.position.data), batch.position.size);
    return payloads;
  }

  // Pulls until `count` messages came; fewer when the deadline passes first.
  std::vector<std::string> collect(size_t count, int deadline_ms = 20000, uint32_t messages_max = 100) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(deadline_ms);
    std::vector<std::string> all;
    while (all.size() < count && std::chrono::steady_clock::now() < deadline)
      for (std::string& payload : next(50, messages_max)) all.push_back(std::move(payload));
    return all;
  }

  // All that came is safe.
  void ack() {
    kps_error error = Plugin::fresh();
    if (plugin_.table->ack(consumer_, token, &error) != KPS_OK) throw Error(error);
  }

  void wake() { eventfd_write(wake_fd, 1); }
  kps_consumer* get() const { return consumer_; }

  std::string position;
  uint64_t token = 0;            // of the newest batch
  std::vector<std::string> ids;  // of all the messages
  int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

 private:
  Plugin& plugin_;
  kps_consumer* consumer_ = nullptr;
};

class Producer {
 public:
  Producer(Plugin& plugin, const std::string& metadata) : plugin_(plugin) {
    const kps_stream stream = stream_of(metadata, KPS_DIRECTION_EGRESS, wake_fd);
    kps_error error = Plugin::fresh();
    if (plugin.table->create_producer(plugin.connector, &stream, &producer_, &error) != KPS_OK) throw Error(error);
  }
  ~Producer() {
    if (producer_ != nullptr) plugin_.table->destroy_producer(producer_);
    close(wake_fd);
  }

  size_t produce(const std::vector<std::string>& payloads, uint32_t timeout_ms = 1000) {
    std::vector<kps_message> messages;
    for (const std::string& p : payloads) messages.push_back({{p.data(), p.size()}, 0, {nullptr, 0}});
    kps_error error = Plugin::fresh();
    size_t taken = 0;
    last = plugin_.table->produce(producer_, messages.data(), messages.size(), sizeof(kps_message), timeout_ms, &taken,
                                  &error);
    last_text.assign(error.text, error.text_size);
    retry_after_ms = error.retry_after_ms;
    return taken;
  }
  void flush() {
    kps_error error = Plugin::fresh();
    if (plugin_.table->flush(producer_, 1000, &error) != KPS_OK) throw Error(error);
  }

  void wake() { eventfd_write(wake_fd, 1); }
  kps_producer* get() const { return producer_; }

  // Of the last produce.
  kps_code last = 0;
  std::string last_text;
  uint32_t retry_after_ms = 0;
  int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

 private:
  Plugin& plugin_;
  kps_producer* producer_ = nullptr;
};

class Directory {
 public:
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "kps-plugin-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path = name;
  }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  std::string path;
};

inline void append(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::app) << bytes;
}
inline std::string read_all(const std::string& path) {
  std::stringstream all;
  all << std::ifstream(path, std::ios::binary).rdbuf();
  return all.str();
}

template <typename Act>
Error error_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "did not fail";
  return Error(Plugin::fresh());
}

}  // namespace kps::testing

#endif
