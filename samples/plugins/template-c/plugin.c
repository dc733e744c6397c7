/* A whole connector plugin in C. What each function has to do says kps/plugin.h. */
#include <kps/plugin.h>
#include <stdlib.h>
#include <string.h>
/* begin INGRESS */
#include <poll.h>
#include <stdio.h>
#include <time.h>
/* end INGRESS */

/* JSON Schemas (draft 4). The host validates against them before it calls the plugin. */
static const char config_schema[] = "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {}}";
static const char stream_schema[] =
    "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
    /* begin INGRESS */
    "\"intervalMs\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 3600000, \"default\": 1000,"
    " \"description\": \"INGRESS: milliseconds between two ticks\"}"
    /* end INGRESS */
    "}}";

struct kps_connector {
  const kps_host *host; /* valid until destroy_connector has returned */
};

/* begin INGRESS */
struct kps_consumer {
  int32_t wake_fd;
  int64_t interval_ms;
  unsigned long long number; /* of the last tick */
  int64_t due_ms;
  /* What next_msg hands over: it stays valid until the next call, so no release is needed. */
  char text[32];
  char position[24];
  kps_message message;
};

/* end INGRESS */
/* begin EGRESS */
struct kps_producer {
  const kps_host *host;
  size_t stream_id_size;
  char stream_id[]; /* a copy: the texts of kps_stream end with create_producer */
};

/* end EGRESS */
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

/* begin INGRESS */
static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads the one key that the schema allows; 0: it is not so. A plugin with more keys takes a JSON library. */
static int read_interval(kps_str json, int64_t *interval_ms) {
  char text[128];
  double value = 1000; /* the platform's numbers are floating point */
  int end = 0;
  if (json.size == 0) json.data = "{}", json.size = 2;
  if (json.size >= sizeof text) return 0;
  memcpy(text, json.data, json.size);
  text[json.size] = '\0';
  (void)sscanf(text, " { } %n", &end);
  if (end == 0) (void)sscanf(text, " { \"intervalMs\" : %lf } %n", &value, &end);
  if ((size_t)end != json.size || !(value >= 1 && value <= 3600000)) return 0;
  *interval_ms = (int64_t)value;
  return 1;
}

/* Reads a position of this plugin, or none; 0: it is none of its. */
static int read_position(kps_bytes position, unsigned long long *number) {
  char digits[20]; /* fewer than the largest number has */
  if (position.size >= sizeof digits) return 0;
  if (position.size > 0) memcpy(digits, position.data, position.size);
  digits[position.size] = '\0';
  *number = strtoull(digits, NULL, 10);
  return strspn(digits, "0123456789") == position.size;
}

static kps_code create_consumer(kps_connector *connector, const kps_stream *stream, kps_bytes resume,
                                kps_consumer **out, kps_error *error) {
  unsigned long long number = 0;
  int64_t interval_ms = 0;
  (void)connector;
  if (!read_interval(stream->metadata_json, &interval_ms)) {
    return fail(error, KPS_INVALID_ARGUMENT, "metadata: \"intervalMs\" from 1 to 3600000 is all there may be");
  }
  if (!read_position(resume, &number)) {
    return fail(error, KPS_DATA_LOSS, "the position is no number: it is not of this plugin");
  }
  *out = calloc(1, sizeof **out);
  if (*out == NULL) return fail(error, KPS_RESOURCE_EXHAUSTED, "no memory for a consumer");
  (*out)->wake_fd = stream->wake_fd;
  (*out)->interval_ms = interval_ms;
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
  consumer->due_ms = now_ms() + consumer->interval_ms;
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

/* end INGRESS */
/* begin EGRESS */
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
  const kps_str stream_id = {producer->stream_id, producer->stream_id_size};
  if (producer->host->counter_add == NULL) return; /* this host does not offer it */
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

/* end EGRESS */
static const kps_plugin table = {
    .struct_size = sizeof(kps_plugin),
    .abi_version = KPS_ABI_VERSION,
    .name = KPS_STR("template-c"),
    .version = KPS_STR("1.0.0"),
    .description = KPS_STR("The smallest whole plugin in C."),
    .directions = KPS_DIRECTIONS_INGRESS | KPS_DIRECTIONS_EGRESS,
    .config_schema = KPS_STR(config_schema),
    .stream_schema = KPS_STR(stream_schema),
    .create_connector = create_connector,
    .destroy_connector = destroy_connector,
    /* begin INGRESS */
    .create_consumer = create_consumer,
    .destroy_consumer = destroy_consumer,
    .next_msg = next_msg,
    /* end INGRESS */
    /* begin EGRESS */
    .create_producer = create_producer,
    .destroy_producer = destroy_producer,
    .produce = produce,
    /* end EGRESS */
};

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  return host_abi_version == KPS_ABI_VERSION ? &table : NULL;
}
