/* What the host offers to a plugin: a table of functions, given to create_connector.
 *
 * The table is valid until destroy_connector has returned. Every function may be called from any thread and
 * copies its arguments before it returns. None of them blocks on I/O. An empty stream_id means "the connector
 * as a whole".
 */
#ifndef KPS_HOST_H
#define KPS_HOST_H

#include "types.h"

#define KPS_LOG_DEBUG 1
#define KPS_LOG_INFO 2
#define KPS_LOG_WARN 3
#define KPS_LOG_ERROR 4

/* Severity of an alert; numbers of connector.v1.Severity. */
#define KPS_SEVERITY_INFO 1
#define KPS_SEVERITY_WARNING 2
#define KPS_SEVERITY_CRITICAL 3

/* State that an event reports; numbers of connector.v1.State. */
#define KPS_STATE_PROVISIONING 1
#define KPS_STATE_PROVISIONED 2
#define KPS_STATE_FAILED 3
#define KPS_STATE_HEALTHY 4
#define KPS_STATE_UNHEALTHY 5

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kps_host {
  uint32_t struct_size;
  uint32_t abi_version; /* KPS_ABI_VERSION of the host */
  void *context;        /* first argument of every function */

  /* [any] One line of log. Never one line a message: count with counter_add instead. */
  void (*log)(void *context, int32_t level, kps_str stream_id, kps_str text);

  /* [any] Raises an alert, or replaces the one with the same id of the same stream. `id` is a lowerCamelCase
   * name; metadata_json is a JSON object or empty. An alert about a stream that the host does not run is
   * ignored, so is one whose id is that of an event of the host (README, "The contract": streamHealthy and others), and
   * those of a stream go when it is stopped or restarted. The host keeps the last 64 ids of each
   * stream and of the connector, alerts and statuses together. */
  void (*raise_alert)(void *context, kps_str stream_id, kps_str id, kps_str message, int32_t severity, int32_t state,
                      kps_str metadata_json);

  /* [any] Sets a status, or replaces the one with the same id of the same stream. */
  void (*set_status)(void *context, kps_str stream_id, kps_str id, kps_str message, int32_t state,
                     kps_str metadata_json);

  /* [any] Adds to a counter or sets a gauge of the plugin. `name` matches [a-z][a-z0-9_]*. Those of a stream go when it
   * is stopped; what comes for it later is ignored. */
  void (*counter_add)(void *context, kps_str stream_id, kps_str name, uint64_t increment);
  void (*gauge_set)(void *context, kps_str stream_id, kps_str name, double value);

  /* [any] 1 when the stream (or, with an empty id, the connector) is to stop, else 0. For loops that cannot
   * wait on wake_fd. */
  int32_t (*should_stop)(void *context, kps_str stream_id);
} kps_host;

#ifdef __cplusplus
}
#endif

KPS_FROZEN(kps_host, abi_version, 4);
KPS_FROZEN(kps_host, context, 8);
KPS_FROZEN(kps_host, log, 16);
KPS_FROZEN(kps_host, raise_alert, 24);
KPS_FROZEN(kps_host, set_status, 32);
KPS_FROZEN(kps_host, counter_add, 40);
KPS_FROZEN(kps_host, gauge_set, 48);
KPS_FROZEN(kps_host, should_stop, 56);

#endif
