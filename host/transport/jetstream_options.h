// How the NATS transport uses JetStream, for delivery at least once.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace kps {

struct JetStreamOptions {
  // Of this connector; with the subscriber's name it makes the name of a durable consumer (jetstream_names.h).
  std::string connector_id;

  // A channel that no stream of the server holds gets one of its own, if they may be created. A full one refuses what
  // is published: what was kept is never pushed out but by its age.
  bool create_streams = true;
  std::string stream_prefix = "kps";
  bool memory_storage = false;  // else in files
  int replicas = 1;
  std::int64_t bytes_max = 0;                  // of one stream; 0: as much as the server gives
  std::chrono::seconds age_max{24 * 3600};     // of a message, taken or not; 0: none
  std::chrono::seconds duplicate_window{120};  // for how long the id of a message is remembered

  // For how long a message that was delivered is not delivered to anybody else, once its host is gone; and how long one
  // takes that was on its way to this host as a connection broke, where nothing later shows that.
  std::chrono::milliseconds ack_wait{10'000};
  // Received and not acknowledged, for one subscription. In bytes: NatsOptions::pending_bytes_max.
  int pending_messages_max = 8192;
  // Without the stream's word on what was published.
  std::chrono::milliseconds confirm_timeout{5000};
};

}  // namespace kps
