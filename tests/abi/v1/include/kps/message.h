/* Messages, and the batches in which a consumer hands them to the host. */
#ifndef KPS_MESSAGE_H
#define KPS_MESSAGE_H

#include "types.h"

/* Bytes a position may have: positions are stored after every confirmed batch. */
#define KPS_POSITION_SIZE_MAX 4096
/* Bytes the id of a message may have: ids travel with every message. */
#define KPS_MESSAGE_ID_SIZE_MAX 128

#ifdef __cplusplus
extern "C" {
#endif

/* One payload. Elements of arrays that carry their stride. */
typedef struct kps_message {
  kps_bytes payload;
  int64_t timestamp_ns; /* since the Unix epoch; 0: the host puts its own clock */

  /* INGRESS, optional: names the message for good. The same message read again, also by a consumer that resumes
   * after a crash, has the same id, and no other message of the stream ever has it. A transport that remembers ids
   * then keeps it once; one that is used for two messages loses the second. Printable ASCII without spaces, as
   * "42" or "partition/offset", at most KPS_MESSAGE_ID_SIZE_MAX bytes. Empty: none. In EGRESS always empty. */
  kps_bytes id;
} kps_message;

/* How much next_msg may return at once. */
typedef struct kps_limits {
  uint32_t struct_size;
  uint32_t messages_max; /* at least 1 */
  uint64_t bytes_max;    /* of payload. A first message that is larger alone is returned nevertheless. */
} kps_limits;

/* What next_msg returns. The host sets struct_size and clears the rest before the call. */
typedef struct kps_batch {
  uint32_t struct_size;
  uint32_t message_stride; /* sizeof(kps_message) of the plugin; needed when message_count > 0 */
  const kps_message *messages;
  size_t message_count; /* 0: nothing came within the timeout, or the call was woken */

  /* Opaque resume point after the last message, at most KPS_POSITION_SIZE_MAX bytes. A consumer that is
   * created with it goes on with the message that follows. Empty: the source cannot resume. */
  kps_bytes position;

  /* Handed back by ack. Tokens of one consumer increase. */
  uint64_t token;

  /* Ends the host's use of messages and position. The host calls it once, on any thread, before it destroys
   * the consumer. NULL: both stay valid until the next call of next_msg or destroy_consumer. */
  void (*release)(void *release_context);
  void *release_context;
} kps_batch;

#ifdef __cplusplus
}
#endif

KPS_FROZEN(kps_message, payload, 0);
KPS_FROZEN(kps_message, timestamp_ns, 16);
KPS_FROZEN(kps_message, id, 24);
KPS_FROZEN(kps_limits, messages_max, 4);
KPS_FROZEN(kps_limits, bytes_max, 8);
KPS_FROZEN(kps_batch, message_stride, 4);
KPS_FROZEN(kps_batch, messages, 8);
KPS_FROZEN(kps_batch, message_count, 16);
KPS_FROZEN(kps_batch, position, 24);
KPS_FROZEN(kps_batch, token, 40);
KPS_FROZEN(kps_batch, release, 48);
KPS_FROZEN(kps_batch, release_context, 56);

#endif
