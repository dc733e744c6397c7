/* The plugin: one symbol, one table. Include this header to write a plugin in C; kps/plugin.hpp for C++.
 * `kps-connector plugin new NAME --lang c` writes a whole project to begin with; without --lang, in C++.
 *
 * The objects form a tree: plugin (the library) -> connector (static parameters and config) -> consumer or
 * producer (one stream each). A plugin needs no global state, so two generations of it can run side by side.
 * A connector is destroyed after all of its consumers and producers.
 */
#ifndef KPS_PLUGIN_H
#define KPS_PLUGIN_H

#include "error.h"
#include "host.h"
#include "message.h"
#include "stream.h"
#include "types.h"
#include "version.h"

/* kps_plugin.directions: which streams the plugin can run. */
#define KPS_DIRECTIONS_INGRESS 1u
#define KPS_DIRECTIONS_EGRESS 2u

/* kps_plugin.flags */
#define KPS_FLAG_NO_UNLOAD 1u    /* the library can never be unmapped (Go, for one) */
/* In a hot swap, the new consumer or producer of a stream may be created while the old one exists. An old consumer that
 * has given no position is then asked for what is left; any other is not called any more. Where old and new are not both
 * so, the old one is destroyed first, and created again if the new one fails. */
#define KPS_FLAG_OVERLAP_SAFE 2u

/* What configure did with the new config. */
#define KPS_CONFIGURE_APPLIED 1
/* Not possible in place: the host creates a connector with the new config, and moves the streams to it one by one, each
 * from its position. The old connector, with the old config, is destroyed when its last stream has left. */
#define KPS_CONFIGURE_RECREATE 2

#ifdef __cplusplus
extern "C" {
#endif

/* The plugin's own objects; the host only passes the pointers on. */
typedef struct kps_connector kps_connector;
typedef struct kps_consumer kps_consumer;
typedef struct kps_producer kps_producer;

/* Takes one stream that discover found: a JSON object with "id" (unique) and, optionally, "direction" ("INGRESS" or
 * "EGRESS", one of the plugin's) and "metadata" (an object, best such that a stream can be set with it). Borrowed for
 * the call. The host skips an entry that is not so, is longer than 64 KiB or comes after 10,000 others, and says so in
 * its log. Called within discover only, on its thread. */
typedef struct kps_discover_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void *context;
  void (*found)(void *context, kps_str stream_json);
} kps_discover_sink;

/* A static const table. The host copies every string. A host does not load a table in which one of these is NULL:
 *  always       create_connector, destroy_connector
 *  for INGRESS  create_consumer, destroy_consumer, next_msg
 *  for EGRESS   create_producer, destroy_producer, produce
 * Every other function is optional. */
typedef struct kps_plugin {
  uint32_t struct_size;
  uint32_t abi_version; /* KPS_ABI_VERSION of the headers it was compiled with */
  kps_str name;         /* [a-z][a-z0-9-]*, the name of the file without .so */
  kps_str version;      /* of the plugin: MAJOR.MINOR.PATCH */
  kps_str description;  /* one sentence */
  uint32_t directions;
  uint32_t flags;

  /* JSON Schema, draft 4. Empty: every object is valid. */
  kps_str static_schema;
  kps_str config_schema;
  kps_str stream_schema;

  /* [control] One connector for a generation of the library. static_json and config_json are JSON objects.
   * On failure *out stays NULL. The host starts no stream and answers no SetPayload meanwhile, so connect in
   * create_consumer and create_producer. Before a swap, it is called in a process of its own as well, and what it
   * created there is destroyed at once: a build that crashes or hangs here harms nobody. */
  kps_code (*create_connector)(const kps_host *host, kps_str static_json, kps_str config_json, kps_connector **out,
                               kps_error *error);
  void (*destroy_connector)(kps_connector *connector);

  /* [control] Optional (NULL: the host recreates). The whole new config, without the host's own key "log_level"; called
   * only when it has changed. On KPS_OK *outcome is KPS_CONFIGURE_APPLIED (which it is before the call) or
   * KPS_CONFIGURE_RECREATE; any other outcome or code refuses the config, and the old one stays: code and text go to
   * whoever has set it. After APPLIED, streams that wait after a failure are tried again. */
  kps_code (*configure)(kps_connector *connector, kps_str config_json, int32_t *outcome, kps_error *error);

  /* [control] Optional. Reports the streams that exist out there to `sink`, within timeout_ms. Its answer is kept for a
   * few seconds. On failure, what was known before stays. */
  kps_code (*discover)(kps_connector *connector, const kps_discover_sink *sink, uint32_t timeout_ms, kps_error *error);

  /* create_consumer and create_producer may block as long as a connect takes: only their own stream waits, and shows as
   * not running. They have to return soon after wake_fd is readable or should_stop is 1, since the stream is to end
   * then; wake_consumer and wake_producer cannot be called yet. What fails for a while is better returned as a
   * transient error: then people see the reason, and the host calls again, after 100 ms at first and 30 s at last. As
   * long as a call does not return, new content of its stream waits for it, which is shown as streamUnhealthy after a
   * second. No call may hold up the end of the host: --drain-timeout and a few seconds after SIGTERM it ends with exit
   * code 4. */

  /* [stream] Starts a consumer at `resume`, a position of an earlier consumer of this stream (also of an older
   * version of the plugin); empty: from the start as the stream's metadata defines it. A position that is not
   * understood is KPS_DATA_LOSS. */
  kps_code (*create_consumer)(kps_connector *connector, const kps_stream *stream, kps_bytes resume, kps_consumer **out,
                              kps_error *error);
  void (*destroy_consumer)(kps_consumer *consumer);

  /* [stream] Waits up to timeout_ms for at least one message; 0 does not wait. Returns KPS_OK with an empty batch
   * when none came or the stream was woken. After a transient error the host calls again. The first call for each
   * consumer has timeout_ms 0 and asks whether it is well: after KPS_OK, also with an empty batch, the stream is shown
   * as healthy. So a consumer that has lost its source returns UNAVAILABLE, not an empty batch. */
  kps_code (*next_msg)(kps_consumer *consumer, const kps_limits *limits, uint32_t timeout_ms, kps_batch *batch,
                       kps_error *error);

  /* [stream] Optional. Everything up to `token` is safe in the transport. */
  kps_code (*ack)(kps_consumer *consumer, uint64_t token, kps_error *error);

  /* [stream] */
  kps_code (*create_producer)(kps_connector *connector, const kps_stream *stream, kps_producer **out, kps_error *error);
  void (*destroy_producer)(kps_producer *producer);

  /* [stream] Like write(2): takes the leading messages it can, sets *taken to their number (also on failure), and
   * returns KPS_OK or the error of message *taken. KPS_OK with fewer than all means "again later". The messages
   * stand message_stride bytes apart. INVALID_ARGUMENT and OUT_OF_RANGE are about message *taken alone: it becomes a
   * dead letter (or what --on-undeliverable says), and the next one follows. After a transient error it offers the same
   * message again; any other error fails the stream, and nothing is dropped. */
  kps_code (*produce)(kps_producer *producer, const kps_message *messages, size_t message_count,
                      uint32_t message_stride, uint32_t timeout_ms, size_t *taken, kps_error *error);

  /* [stream] Optional (NULL: what produce took is delivered). On KPS_OK all that was taken is delivered. After a
   * transient error, what was taken since the last KPS_OK is given to a new producer, if the transport keeps messages;
   * else flush is called again, and has to make good for all of it, or fail for good (KPS_DATA_LOSS). One that was
   * woken, and returned a transient error, is called again at once, and not woken any more. */
  kps_code (*flush)(kps_producer *producer, uint32_t timeout_ms, kps_error *error);

  /* [any] Optional. Makes a blocked call of the instance return at once; for client libraries that cannot wait on
   * kps_stream.wake_fd, which is made readable in any case, and before. Not called before create has returned, nor
   * after destroy began. */
  void (*wake_consumer)(kps_consumer *consumer);
  void (*wake_producer)(kps_producer *producer);

  /* [any] Optional. Functions not every plugin needs, by name ("kps.x/1"); NULL: not supported. */
  const void *(*get_extension)(const char *name);
} kps_plugin;

/* The one symbol a plugin exports. [control] Returns its table, or NULL when it does not support the host. */
KPS_EXPORT const kps_plugin *kps_plugin_v1(uint32_t host_abi_version);

#define KPS_PLUGIN_SYMBOL "kps_plugin_v1"

#ifdef __cplusplus
}
#endif

KPS_FROZEN(kps_discover_sink, context, 8);
KPS_FROZEN(kps_discover_sink, found, 16);
KPS_FROZEN(kps_plugin, abi_version, 4);
KPS_FROZEN(kps_plugin, name, 8);
KPS_FROZEN(kps_plugin, version, 24);
KPS_FROZEN(kps_plugin, description, 40);
KPS_FROZEN(kps_plugin, directions, 56);
KPS_FROZEN(kps_plugin, flags, 60);
KPS_FROZEN(kps_plugin, static_schema, 64);
KPS_FROZEN(kps_plugin, config_schema, 80);
KPS_FROZEN(kps_plugin, stream_schema, 96);
KPS_FROZEN(kps_plugin, create_connector, 112);
KPS_FROZEN(kps_plugin, destroy_connector, 120);
KPS_FROZEN(kps_plugin, configure, 128);
KPS_FROZEN(kps_plugin, discover, 136);
KPS_FROZEN(kps_plugin, create_consumer, 144);
KPS_FROZEN(kps_plugin, destroy_consumer, 152);
KPS_FROZEN(kps_plugin, next_msg, 160);
KPS_FROZEN(kps_plugin, ack, 168);
KPS_FROZEN(kps_plugin, create_producer, 176);
KPS_FROZEN(kps_plugin, destroy_producer, 184);
KPS_FROZEN(kps_plugin, produce, 192);
KPS_FROZEN(kps_plugin, flush, 200);
KPS_FROZEN(kps_plugin, wake_consumer, 208);
KPS_FROZEN(kps_plugin, wake_producer, 216);
KPS_FROZEN(kps_plugin, get_extension, 224);

#endif
