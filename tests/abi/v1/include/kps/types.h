/* Basic types of the ABI: text, bytes, and the rules every other header follows. Version 1 is released: what is in these
 * headers stays as it is, and only grows by the rules below.
 *
 * Rules that make the ABI stable
 *  - A struct that may grow begins with struct_size, set by whoever fills it to sizeof the struct it was
 *    compiled with. Fields are only appended. A reader looks at struct_size before a field that was
 *    appended later.
 *  - Arrays carry the stride of their elements, so elements may grow as well.
 *  - A NULL function pointer means "not supported".
 *  - No enum, bool, long or bit-field is part of a layout.
 *  - Text is UTF-8, pointer and length, without a terminating NUL.
 *  - Memory stays with its owner. What is passed to a function is borrowed for that call, unless its
 *    comment says otherwise.
 *  - No exception, longjmp or exit crosses the boundary.
 *
 * Notation: every function says in brackets which thread calls it.
 *  [any]      any thread, also several at once
 *  [control]  one such call at a time for a connector, not always on the same thread; calls of its streams
 *             may run at the same time
 *  [stream]   the thread of that one stream: one call at a time for an instance, the same thread from
 *             create to destroy
 */
#ifndef KPS_TYPES_H
#define KPS_TYPES_H

#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
#define KPS_STATIC_ASSERT(condition, text) static_assert(condition, text)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define KPS_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#else /* C99: an array of negative size does not compile, and declaring the same extern array again is allowed */
#define KPS_STATIC_ASSERT(condition, text) extern const char kps_static_assert_holds[(condition) ? 1 : -1]
#endif

/* The layouts are frozen for 64-bit platforms, the only ones the host runs on. */
KPS_STATIC_ASSERT(sizeof(void *) == 8 && sizeof(size_t) == 8, "the plugin ABI is defined for 64-bit platforms");

/* Freezes one field: its offset never changes. */
#define KPS_FROZEN(type, field, offset) \
  KPS_STATIC_ASSERT(offsetof(type, field) == (offset), #type "." #field " moved: the ABI is broken")

#define KPS_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* Text: UTF-8, not NUL-terminated. size is in bytes; data may be NULL when size is 0. To fill one, point at the first
 * byte and give the number of bytes without the NUL that C puts after them: KPS_STR("text") as an initializer, or
 * data = text, size = strlen(text). Nothing is copied, so the bytes have to stay: those of a kps_plugin as long as the
 * library is loaded; those that are passed to a function, until it returns. Who needs a text for longer copies it. */
typedef struct kps_str {
  const char *data;
  size_t size;
} kps_str;

/* Any bytes. data may be NULL when size is 0. */
typedef struct kps_bytes {
  const void *data;
  size_t size;
} kps_bytes;

/* The kps_str of a literal, also of a static const one. */
#define KPS_STR(literal) \
  { literal, sizeof(literal) - 1 }

#ifdef __cplusplus
}
#endif

KPS_FROZEN(kps_str, data, 0);
KPS_FROZEN(kps_str, size, 8);
KPS_FROZEN(kps_bytes, data, 0);
KPS_FROZEN(kps_bytes, size, 8);

#endif
