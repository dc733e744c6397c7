/* Result codes and the error buffer.
 *
 * Every fallible function returns a kps_code. KPS_OK is 1, not 0, because the codes are those of the wire
 * contract (connector.v1.ResponseCode). On any other code the function has also filled the kps_error that
 * the caller passed in: the buffer belongs to the caller, so nothing has to be freed and the text outlives
 * the library.
 *
 * The code tells the host whether to try again:
 *  transient (retried with back-off): UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, and
 *    CANCELLED when the host did not ask for it
 *  permanent (the stream is FAILED, and tried again when the streams are sent again, changed or not, or the
 *    config or the plugin changes): INVALID_ARGUMENT, UNAUTHENTICATED, PERMISSION_DENIED, NOT_FOUND,
 *    FAILED_PRECONDITION, UNIMPLEMENTED, DATA_LOSS and all others
 *  about one message (from produce alone: it is dropped, with an alert, and the stream goes on): INVALID_ARGUMENT,
 *    OUT_OF_RANGE
 */
#ifndef KPS_ERROR_H
#define KPS_ERROR_H

#include "types.h"

#define KPS_OK 1
#define KPS_CANCELLED 2
#define KPS_UNKNOWN 3
#define KPS_INVALID_ARGUMENT 4
#define KPS_DEADLINE_EXCEEDED 5
#define KPS_NOT_FOUND 6
#define KPS_ALREADY_EXISTS 7
#define KPS_PERMISSION_DENIED 8
#define KPS_UNAUTHENTICATED 9
#define KPS_RESOURCE_EXHAUSTED 10
#define KPS_FAILED_PRECONDITION 11
#define KPS_ABORTED 12
#define KPS_OUT_OF_RANGE 13
#define KPS_UNIMPLEMENTED 14
#define KPS_INTERNAL 15
#define KPS_UNAVAILABLE 16
#define KPS_DATA_LOSS 17

/* The longest retry_after_ms, one hour: a longer one counts as this, so that no stream is forgotten. */
#define KPS_RETRY_AFTER_MS_MAX 3600000u

/* Bytes of text a kps_error holds; longer texts are cut by kps_error_set at a character boundary. */
#define KPS_ERROR_TEXT_MAX 1008

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t kps_code;

/* Filled by the callee when it returns another code than KPS_OK. The host sets struct_size and
 * clears code, retry_after_ms and text_size before each call. */
typedef struct kps_error {
  uint32_t struct_size;
  kps_code code;           /* the code that the function returns */
  uint32_t retry_after_ms; /* transient errors: do not try before; 0 leaves it to the host's back-off */
  uint32_t text_size;      /* bytes of text in use, at most KPS_ERROR_TEXT_MAX */
  char text[KPS_ERROR_TEXT_MAX];
} kps_error;

/* Fills `error` (ignored when NULL) and returns `code`, so that failing is one line:
 *   return kps_error_set(error, KPS_UNAVAILABLE, text, size); */
static inline kps_code kps_error_set(kps_error *error, kps_code code, const char *text, size_t text_size) {
  size_t i;
  if (error == NULL) return code;
  if (text_size > KPS_ERROR_TEXT_MAX) {
    text_size = KPS_ERROR_TEXT_MAX;
    while (text_size > 0 && ((unsigned char)text[text_size] & 0xC0u) == 0x80u) --text_size;
  }
  error->code = code;
  error->text_size = (uint32_t)text_size;
  for (i = 0; i < text_size; ++i) error->text[i] = text[i];
  return code;
}

#ifdef __cplusplus
}
#endif

KPS_FROZEN(kps_error, code, 4);
KPS_FROZEN(kps_error, retry_after_ms, 8);
KPS_FROZEN(kps_error, text_size, 12);
KPS_FROZEN(kps_error, text, 16);
KPS_STATIC_ASSERT(sizeof(kps_error) == 1024, "kps_error has its frozen size");

#endif
