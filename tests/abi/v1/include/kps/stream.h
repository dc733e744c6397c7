/* A stream, as its consumer or producer sees it. */
#ifndef KPS_STREAM_H
#define KPS_STREAM_H

#include "types.h"

#define KPS_DIRECTION_INGRESS 1 /* data service -> transport: a consumer */
#define KPS_DIRECTION_EGRESS 2  /* transport -> data service: a producer */

#ifdef __cplusplus
extern "C" {
#endif

/* The texts are borrowed for the create call; wake_fd stays open until the destroy call has returned. */
typedef struct kps_stream {
  uint32_t struct_size;
  int32_t direction;
  kps_str id;
  kps_str channel;       /* the transport channel, for logs: the host does the transporting */
  kps_str metadata_json; /* a JSON object, valid against the plugin's stream_schema */

  /* A descriptor that is readable (POLLIN) while the host wants a blocked call of this stream to return at
   * once. Wait on it together with the plugin's own descriptors. Never read from it, never close it. Where the
   * plugin has wake_consumer or wake_producer, that is called as well, after the descriptor has become readable. */
  int32_t wake_fd;
  uint32_t reserved;
} kps_stream;

#ifdef __cplusplus
}
#endif

KPS_FROZEN(kps_stream, direction, 4);
KPS_FROZEN(kps_stream, id, 8);
KPS_FROZEN(kps_stream, channel, 24);
KPS_FROZEN(kps_stream, metadata_json, 40);
KPS_FROZEN(kps_stream, wake_fd, 56);

#endif
