// The descriptor, the functions behind the table, and KPS_PLUGIN, which exports it.
#ifndef KPS_CPP_TABLE_HPP
#define KPS_CPP_TABLE_HPP

#include <memory>
#include <type_traits>

#include "connector.hpp"

namespace kps {
namespace plugin {

// Describes the plugin, at compile time. Take literals:
//   constexpr auto kDescriptor = kps::plugin::Descriptor("mqtt", "1.0.0", "Reads and writes MQTT topics.",
//                                                        KPS_DIRECTIONS_INGRESS).stream_schema(R"({...})");
class Descriptor {
 public:
  template <size_t kName, size_t kVersion, size_t kDescription>
  constexpr Descriptor(const char (&name)[kName], const char (&version)[kVersion],
                       const char (&description)[kDescription], uint32_t directions)
      : Descriptor(text(name), text(version), text(description), directions, 0, none(), none(), none()) {}

  constexpr Descriptor flags(uint32_t flags) const {
    return Descriptor(name_, version_, description_, directions_, flags, static_schema_, config_schema_,
                      stream_schema_);
  }
  template <size_t kSize>
  constexpr Descriptor static_schema(const char (&schema)[kSize]) const {
    return Descriptor(name_, version_, description_, directions_, flags_, text(schema), config_schema_, stream_schema_);
  }
  template <size_t kSize>
  constexpr Descriptor config_schema(const char (&schema)[kSize]) const {
    return Descriptor(name_, version_, description_, directions_, flags_, static_schema_, text(schema), stream_schema_);
  }
  template <size_t kSize>
  constexpr Descriptor stream_schema(const char (&schema)[kSize]) const {
    return Descriptor(name_, version_, description_, directions_, flags_, static_schema_, config_schema_, text(schema));
  }

  template <typename ConnectorType>
  constexpr kps_plugin table() const;

 private:
  constexpr Descriptor(kps_str name, kps_str version, kps_str description, uint32_t directions, uint32_t flags,
                       kps_str static_schema, kps_str config_schema, kps_str stream_schema)
      : name_(name),
        version_(version),
        description_(description),
        directions_(directions),
        flags_(flags),
        static_schema_(static_schema),
        config_schema_(config_schema),
        stream_schema_(stream_schema) {}

  template <size_t kSize>
  static constexpr kps_str text(const char (&literal)[kSize]) {
    return kps_str{literal, kSize - 1};
  }
  static constexpr kps_str none() { return kps_str{nullptr, 0}; }

  kps_str name_;
  kps_str version_;
  kps_str description_;
  uint32_t directions_;
  uint32_t flags_;
  kps_str static_schema_;
  kps_str config_schema_;
  kps_str stream_schema_;
};

namespace detail {

// A kps_consumer: the author's object and what the boundary needs around it.
struct ConsumerSlot {
  std::unique_ptr<Consumer> consumer;
  Batch batch;
  uint64_t token = 0;
  kps_error deferred = kps_error();  // thrown by a call that had already added messages
};

inline Connector *from(kps_connector *connector) { return reinterpret_cast<Connector *>(connector); }
inline ConsumerSlot *from(kps_consumer *consumer) { return reinterpret_cast<ConsumerSlot *>(consumer); }
inline Producer *from(kps_producer *producer) { return reinterpret_cast<Producer *>(producer); }

// For calls that have no way to report: whatever they throw ends here.
template <typename Body>
void contained(Body body) noexcept {
  static_cast<void>(guarded(nullptr, body));
}

template <typename ConnectorType>
kps_code create_connector(const kps_host *host, kps_str static_json, kps_str config_json, kps_connector **out,
                          kps_error *error) {
  return guarded(error, [&] {
    Connector *base = new ConnectorType(Host(host), to_string(static_json), to_string(config_json));
    *out = reinterpret_cast<kps_connector *>(base);
  });
}

inline void destroy_connector(kps_connector *connector) {
  contained([&] { delete from(connector); });
}

inline kps_code configure(kps_connector *connector, kps_str config_json, int32_t *outcome, kps_error *error) {
  return guarded(error, [&] {
    const Configured configured = from(connector)->configure(to_string(config_json));
    *outcome = configured == Configured::kApplied ? KPS_CONFIGURE_APPLIED : KPS_CONFIGURE_RECREATE;
  });
}

inline kps_code discover(kps_connector *connector, const kps_discover_sink *sink, uint32_t timeout_ms,
                         kps_error *error) {
  return guarded(error, [&] { from(connector)->discover(DiscoverSink(sink), std::chrono::milliseconds(timeout_ms)); });
}

inline kps_code create_consumer(kps_connector *connector, const kps_stream *stream, kps_bytes resume,
                                kps_consumer **out, kps_error *error) {
  return guarded(error, [&] {
    std::unique_ptr<ConsumerSlot> slot(new ConsumerSlot);
    slot->batch.set_position(to_string(resume));
    slot->consumer = from(connector)->create_consumer(Stream(*stream), to_string(resume));
    if (!slot->consumer) throw Failure(KPS_INTERNAL, "create_consumer returned nothing");
    *out = reinterpret_cast<kps_consumer *>(slot.release());
  });
}

inline void destroy_consumer(kps_consumer *consumer) {
  contained([&] { delete from(consumer); });
}

inline kps_code next_msg(kps_consumer *consumer, const kps_limits *limits, uint32_t timeout_ms, kps_batch *batch,
                         kps_error *error) {
  ConsumerSlot *slot = from(consumer);
  kps_error &deferred = slot->deferred;
  if (deferred.code != 0) {
    if (error != nullptr) error->retry_after_ms = deferred.retry_after_ms;
    const kps_code code = deferred.code;
    deferred.code = 0;
    return kps_error_set(error, code, deferred.text, deferred.text_size);
  }
  const kps_code code = guarded(error, [&] {
    slot->batch.begin(*limits, ++slot->token);
    slot->consumer->next(slot->batch, std::chrono::milliseconds(timeout_ms));
  });
  if (code != KPS_OK) {
    if (slot->batch.empty()) return code;
    // The source has given these messages away already: deliver them now, fail the next time.
    if (error != nullptr) {
      deferred = *error;
      error->code = 0;
      error->retry_after_ms = 0;
      error->text_size = 0;
    }
    deferred.code = code;
  }
  slot->batch.seal(batch);
  return KPS_OK;
}

inline kps_code ack(kps_consumer *consumer, uint64_t token, kps_error *error) {
  return guarded(error, [&] { from(consumer)->consumer->ack(token); });
}

inline kps_code create_producer(kps_connector *connector, const kps_stream *stream, kps_producer **out,
                                kps_error *error) {
  return guarded(error, [&] {
    std::unique_ptr<Producer> producer = from(connector)->create_producer(Stream(*stream));
    if (!producer) throw Failure(KPS_INTERNAL, "create_producer returned nothing");
    *out = reinterpret_cast<kps_producer *>(producer.release());
  });
}

inline void destroy_producer(kps_producer *producer) {
  contained([&] { delete from(producer); });
}

inline kps_code produce(kps_producer *producer, const kps_message *messages, size_t message_count,
                        uint32_t message_stride, uint32_t timeout_ms, size_t *taken, kps_error *error) {
  *taken = 0;
  return guarded(error, [&] {
    from(producer)->produce(Messages(messages, message_count, message_stride), std::chrono::milliseconds(timeout_ms),
                            *taken);
  });
}

inline kps_code flush(kps_producer *producer, uint32_t timeout_ms, kps_error *error) {
  return guarded(error, [&] { from(producer)->flush(std::chrono::milliseconds(timeout_ms)); });
}

inline void wake_consumer(kps_consumer *consumer) {
  contained([&] { from(consumer)->consumer->wake(); });
}

inline void wake_producer(kps_producer *producer) {
  contained([&] { from(producer)->wake(); });
}

// &Derived::discover has the type of the class that declares it: the base's own means "not overridden".
template <typename ConnectorType>
struct Discovers {
  static constexpr bool value =
      !std::is_same<decltype(&ConnectorType::discover), decltype(&Connector::discover)>::value;
};

}  // namespace detail

template <typename ConnectorType>
constexpr kps_plugin Descriptor::table() const {
  static_assert(std::is_base_of<Connector, ConnectorType>::value, "derive from kps::plugin::Connector");
  return kps_plugin{sizeof(kps_plugin),
                    KPS_ABI_VERSION,
                    name_,
                    version_,
                    description_,
                    directions_,
                    flags_,
                    static_schema_,
                    config_schema_,
                    stream_schema_,
                    &detail::create_connector<ConnectorType>,
                    &detail::destroy_connector,
                    &detail::configure,
                    detail::Discovers<ConnectorType>::value ? &detail::discover : nullptr,
                    &detail::create_consumer,
                    &detail::destroy_consumer,
                    &detail::next_msg,
                    &detail::ack,
                    &detail::create_producer,
                    &detail::destroy_producer,
                    &detail::produce,
                    &detail::flush,
                    &detail::wake_consumer,
                    &detail::wake_producer,
                    nullptr};
}

}  // namespace plugin
}  // namespace kps

// Once, in one source file, outside of any namespace. `descriptor` is a constexpr Descriptor.
#define KPS_PLUGIN(ConnectorType, descriptor)                                        \
  extern "C" KPS_EXPORT const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) { \
    static constexpr kps_plugin table = (descriptor).table<ConnectorType>();         \
    return host_abi_version == KPS_ABI_VERSION ? &table : nullptr;                   \
  }                                                                                  \
  static_assert(true, "take a semicolon after KPS_PLUGIN")

#endif
