/* A whole connector plugin in C: copy this folder. What each function has to do says kps/plugin.h. */
#include <kps/plugin.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INTERVAL_MS = 1000 };

struct kps_connector {
  const kps_host *host; /* valid until destroy_connector has returned */
};

struct kps_consumer {
  int32_t wake_fd;
  unsigned long long number; /* of the last tick */
  int64_t due_ms;
  /* What next_msg hands over: it stays valid until the next call, so no release is needed. */
  char text[32];
  char position[24];
  kps_message message;
};

struct kps_producer {
  const kps_host *host;
  size_t stream_id_size;
  char stream_id[]; /* a copy: the texts of kps_stream end with create_producer */
};

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static kps_code fail(kps_error *error, kps_code code, const char *text) {
  return kps_error_set(error, code, text, strlen(text));
}

static kps_code create_connector(const kps_host *host, kps_str static_json, kps_str config_json, kps_connector **out,
                                 kps_error *error) {
  (void)static_json, (void)config_json; /* there is nothing to set */
  *out = calloc(1, sizeof **out);
  if (*out == NULL) return fail(error, KPS_RESOURCE_EXHAUSTED, "no memory for a connector");
  (*out)->host = host;
  return KPS_OK;
}

static void destroy_connector(kps_connector *connector) { free(connector); }

/* The number that `position` is, or 0 with *valid 0. */
static unsigned long long number_of(kps_bytes position, int *valid) {
  char digits[sizeof((kps_consumer *)0)->position];
  char *end = digits;
  unsigned long long number = 0;
  *valid = position.size < sizeof digits;
  if (!*valid || position.size == 0) return 0;
  memcpy(digits, position.data, position.size);
  digits[position.size] = '\0';
  number = strtoull(digits, &end, 10);
  *valid = end == digits + position.size;
  return *valid ? number : 0;
}

static kps_code create_consumer(kps_connector *connector, const kps_stream *stream, kps_bytes resume,
                                kps_consumer **out, kps_error *error) {
  int valid = 0;
  const unsigned long long number = number_of(resume, &valid);
  (void)connector;
  if (!valid) return fail(error, KPS_DATA_LOSS, "the position is no number: it is not of this plugin");
  *out = calloc(1, sizeof **out);
  if (*out == NULL) return fail(error, KPS_RESOURCE_EXHAUSTED, "no memory for a consumer");
  (*out)->wake_fd = stream->wake_fd;
  (*out)->number = number;
  (*out)->due_ms = now_ms();
  return KPS_OK;
}

static void destroy_consumer(kps_consumer *consumer) { free(consumer); }

/* Until the tick is due, the time is over, or the host wants the call to return. */
static void wait_for_tick(const kps_consumer *consumer, uint32_t timeout_ms) {
  struct pollfd woken;
  const int64_t left_ms = consumer->due_ms - now_ms();
  if (left_ms <= 0 || timeout_ms == 0) return;
  woken.fd = consumer->wake_fd;
  woken.events = POLLIN;
  (void)poll(&woken, 1, (int)(left_ms < (int64_t)timeout_ms ? left_ms : (int64_t)timeout_ms));
}

static kps_code next_msg(kps_consumer *consumer, const kps_limits *limits, uint32_t timeout_ms, kps_batch *batch,
                         kps_error *error) {
  (void)limits, (void)error; /* one message is always allowed, and nothing here fails */
  wait_for_tick(consumer, timeout_ms);
  if (now_ms() < consumer->due_ms) return KPS_OK; /* an empty batch: nothing came, all is well */
  consumer->due_ms = now_ms() + INTERVAL_MS;
  ++consumer->number;
  memset(&consumer->message, 0, sizeof consumer->message);
  consumer->message.payload.data = consumer->text;
  consumer->message.payload.size =
      (size_t)snprintf(consumer->text, sizeof consumer->text, "tick %llu", consumer->number);
  batch->messages = &consumer->message;
  batch->message_stride = sizeof consumer->message;
  batch->message_count = 1;
  batch->position.data = consumer->position;
  batch->position.size = (size_t)snprintf(consumer->position, sizeof consumer->position, "%llu", consumer->number);
  batch->token = consumer->number;
  return KPS_OK;
}

static kps_code create_producer(kps_connector *connector, const kps_stream *stream, kps_producer **out,
                                kps_error *error) {
  *out = calloc(1, sizeof **out + stream->id.size);
  if (*out == NULL) return fail(error, KPS_RESOURCE_EXHAUSTED, "no memory for a producer");
  (*out)->host = connector->host;
  (*out)->stream_id_size = stream->id.size;
  if (stream->id.size > 0) memcpy((*out)->stream_id, stream->id.data, stream->id.size);
  return KPS_OK;
}

static void destroy_producer(kps_producer *producer) { free(producer); }

static void count(const kps_producer *producer, kps_str name, uint64_t increment) {
  kps_str stream_id;
  stream_id.data = producer->stream_id;
  stream_id.size = producer->stream_id_size;
  producer->host->counter_add(producer->host->context, stream_id, name, increment);
}

static kps_code produce(kps_producer *producer, const kps_message *messages, size_t message_count,
                        uint32_t message_stride, uint32_t timeout_ms, size_t *taken, kps_error *error) {
  static const kps_str received = KPS_STR("received_total");
  static const kps_str received_bytes = KPS_STR("received_bytes_total");
  const char *at = (const char *)messages;
  uint64_t bytes = 0;
  (void)timeout_ms, (void)error;
  /* By the stride: the messages of a later host may be larger than this plugin's. */
  for (*taken = 0; *taken < message_count; ++*taken, at += message_stride) {
    bytes += ((const kps_message *)(const void *)at)->payload.size;
  }
  count(producer, received, *taken);
  count(producer, received_bytes, bytes);
  return KPS_OK;
}

static const kps_plugin table = {
    .struct_size = sizeof(kps_plugin),
    .abi_version = KPS_ABI_VERSION,
    .name = KPS_STR("template-c"),
    .version = KPS_STR("1.0.0"),
    .description = KPS_STR("Ticks, and counts what it gets: the plugin to copy for C."),
    .directions = KPS_DIRECTIONS_INGRESS | KPS_DIRECTIONS_EGRESS,
    .create_connector = create_connector,
    .destroy_connector = destroy_connector,
    .create_consumer = create_consumer,
    .destroy_consumer = destroy_consumer,
    .next_msg = next_msg,
    .create_producer = create_producer,
    .destroy_producer = destroy_producer,
    .produce = produce,
};

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  return host_abi_version == KPS_ABI_VERSION ? &table : NULL;
}
