// What the host offers, callable from any thread. A service that this host lacks does nothing.
#ifndef KPS_CPP_HOST_HPP
#define KPS_CPP_HOST_HPP

#include <string>

#include "../host.h"
#include "text.hpp"

namespace kps {
namespace plugin {

// Cheap to copy; valid until the connector is destroyed. An empty stream_id means the connector as a whole.
class Host {
 public:
  explicit Host(const kps_host *table = nullptr) noexcept : table_(table) {}

  // level: KPS_LOG_*. Never one line a message: count instead.
  void log(int32_t level, const std::string &stream_id, const std::string &text) const {
    if (offers(&kps_host::log)) table_->log(table_->context, level, to_str(stream_id), to_str(text));
  }

  // `id` is lowerCamelCase; severity: KPS_SEVERITY_*, state: KPS_STATE_*; metadata_json: an object or empty.
  void raise_alert(const std::string &stream_id, const std::string &id, const std::string &message, int32_t severity,
                   int32_t state, const std::string &metadata_json = std::string()) const {
    if (offers(&kps_host::raise_alert))
      table_->raise_alert(table_->context, to_str(stream_id), to_str(id), to_str(message), severity, state,
                          to_str(metadata_json));
  }

  void set_status(const std::string &stream_id, const std::string &id, const std::string &message, int32_t state,
                  const std::string &metadata_json = std::string()) const {
    if (offers(&kps_host::set_status))
      table_->set_status(table_->context, to_str(stream_id), to_str(id), to_str(message), state, to_str(metadata_json));
  }

  // `name` matches [a-z][a-z0-9_]*; a C string, so that a literal costs no allocation on the hot path.
  void counter_add(const std::string &stream_id, const char *name, uint64_t increment) const {
    if (offers(&kps_host::counter_add))
      table_->counter_add(table_->context, to_str(stream_id), to_str(name), increment);
  }
  void gauge_set(const std::string &stream_id, const char *name, double value) const {
    if (offers(&kps_host::gauge_set)) table_->gauge_set(table_->context, to_str(stream_id), to_str(name), value);
  }

  bool should_stop(const std::string &stream_id) const {
    return offers(&kps_host::should_stop) && table_->should_stop(table_->context, to_str(stream_id)) != 0;
  }

 private:
  // An older host has a shorter table: a member past struct_size must not even be read.
  template <typename Function>
  bool offers(Function kps_host::*member) const noexcept {
    if (table_ == nullptr) return false;
    const char *begin = reinterpret_cast<const char *>(table_);
    const char *end = reinterpret_cast<const char *>(&(table_->*member)) + sizeof(Function);
    return static_cast<size_t>(end - begin) <= table_->struct_size && table_->*member != nullptr;
  }

  const kps_host *table_;
};

}  // namespace plugin
}  // namespace kps

#endif
