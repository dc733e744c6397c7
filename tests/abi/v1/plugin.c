/* A plugin that was built when v1 of the ABI was released, and uses all of it: whatever a later host is, it runs this
 * one. Together with the headers beside it, it is never changed again. tests/abi/v1_test.cc says what comes of each
 * call. */
#include <kps/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kps_connector {
  const kps_host *host;
};

struct kps_consumer {
  const kps_host *host;
  char stream_id[64];
  unsigned read; /* messages */
};

struct kps_producer {
  const kps_host *host;
  char stream_id[64];
  unsigned unflushed; /* messages */
};

static kps_str str(const char *text) {
  kps_str result;
  result.data = text;
  result.size = strlen(text);
  return result;
}

static int holds(kps_str text, const char *part) {
  char copy[256] = "";
  if (text.size >= sizeof copy) return 0;
  if (text.size > 0) memcpy(copy, text.data, text.size);
  return strstr(copy, part) != NULL;
}

static kps_code fail(kps_error *error, kps_code code, const char *text) {
  return kps_error_set(error, code, text, strlen(text));
}

static kps_code create_connector(const kps_host *host, kps_str static_json, kps_str config_json, kps_connector **out,
                                 kps_error *error) {
  if (holds(static_json, "refuse")) return fail(error, KPS_PERMISSION_DENIED, "refused, as the parameters ask");
  *out = calloc(1, sizeof **out);
  if (*out == NULL) return fail(error, KPS_RESOURCE_EXHAUSTED, "no memory");
  (*out)->host = host;
  host->log(host->context, KPS_LOG_INFO, str(""), config_json);
  return KPS_OK;
}

static void destroy_connector(kps_connector *connector) { free(connector); }

static kps_code configure(kps_connector *connector, kps_str config_json, int32_t *outcome, kps_error *error) {
  (void)connector;
  if (holds(config_json, "refuse")) return fail(error, KPS_INVALID_ARGUMENT, "refused, as the config asks");
  if (holds(config_json, "recreate")) *outcome = KPS_CONFIGURE_RECREATE;
  return KPS_OK;
}

static kps_code discover(kps_connector *connector, const kps_discover_sink *sink, uint32_t timeout_ms,
                         kps_error *error) {
  (void)connector, (void)timeout_ms, (void)error;
  sink->found(sink->context, str("{\"id\": \"one\", \"direction\": \"INGRESS\", \"metadata\": {\"a\": 1}}"));
  sink->found(sink->context, str("{\"id\": \"two\", \"direction\": \"EGRESS\"}"));
  return KPS_OK;
}

static void copy_id(char *to, size_t size, kps_str id) {
  if (id.size < size) memcpy(to, id.data, id.size);
}

static kps_code create_consumer(kps_connector *connector, const kps_stream *stream, kps_bytes resume,
                                kps_consumer **out, kps_error *error) {
  const kps_host *host = connector->host;
  if (stream->direction != KPS_DIRECTION_INGRESS || stream->wake_fd < 0) {
    return fail(error, KPS_FAILED_PRECONDITION, "the stream is not as it should be");
  }
  if (holds(stream->metadata_json, "later")) {
    error->retry_after_ms = 1234;
    return fail(error, KPS_UNAVAILABLE, "later, as the metadata ask");
  }
  *out = calloc(1, sizeof **out);
  if (*out == NULL) return fail(error, KPS_RESOURCE_EXHAUSTED, "no memory");
  (*out)->host = host;
  copy_id((*out)->stream_id, sizeof(*out)->stream_id, stream->id);
  if (resume.size == sizeof(*out)->read) memcpy(&(*out)->read, resume.data, resume.size);
  host->raise_alert(host->context, stream->id, str("oldAlert"), stream->channel, KPS_SEVERITY_WARNING,
                    KPS_STATE_UNHEALTHY, stream->metadata_json);
  host->set_status(host->context, stream->id, str("oldStatus"), str("made"), KPS_STATE_HEALTHY, str("{}"));
  host->gauge_set(host->context, stream->id, str("should_stop"), host->should_stop(host->context, stream->id));
  return KPS_OK;
}

static void destroy_consumer(kps_consumer *consumer) { free(consumer); }

/* Two messages and all that is said about them, on the heap until they are released. */
struct two_messages {
  kps_message messages[2];
  char payloads[2][24];
  char ids[2][24];
  unsigned position;
  const kps_consumer *consumer;
};

static void release(void *context) {
  struct two_messages *two = context;
  const kps_host *host = two->consumer->host;
  host->counter_add(host->context, str(two->consumer->stream_id), str("released_total"), 2);
  free(two);
}

static kps_code next_msg(kps_consumer *consumer, const kps_limits *limits, uint32_t timeout_ms, kps_batch *batch,
                         kps_error *error) {
  struct two_messages *two = NULL;
  int i = 0;
  (void)timeout_ms;
  if (limits->messages_max < 2 || limits->bytes_max == 0) return fail(error, KPS_OUT_OF_RANGE, "two are needed");
  two = calloc(1, sizeof *two);
  if (two == NULL) return fail(error, KPS_RESOURCE_EXHAUSTED, "no memory");
  for (i = 0; i < 2; ++i) {
    ++consumer->read;
    two->messages[i].payload.data = two->payloads[i];
    two->messages[i].payload.size = (size_t)snprintf(two->payloads[i], sizeof two->payloads[i], "m%u", consumer->read);
    two->messages[i].timestamp_ns = consumer->read;
    two->messages[i].id.data = two->ids[i];
    two->messages[i].id.size = (size_t)snprintf(two->ids[i], sizeof two->ids[i], "id%u", consumer->read);
  }
  two->position = consumer->read;
  two->consumer = consumer;
  batch->messages = two->messages;
  batch->message_stride = sizeof two->messages[0];
  batch->message_count = 2;
  batch->position.data = &two->position;
  batch->position.size = sizeof two->position;
  batch->token = consumer->read;
  batch->release = release;
  batch->release_context = two;
  return KPS_OK;
}

static kps_code ack(kps_consumer *consumer, uint64_t token, kps_error *error) {
  (void)error;
  consumer->host->counter_add(consumer->host->context, str(consumer->stream_id), str("acked_token"), token);
  return KPS_OK;
}

static kps_code create_producer(kps_connector *connector, const kps_stream *stream, kps_producer **out,
                                kps_error *error) {
  if (stream->direction != KPS_DIRECTION_EGRESS)
    return fail(error, KPS_FAILED_PRECONDITION, "this is no egress stream");
  *out = calloc(1, sizeof **out);
  if (*out == NULL) return fail(error, KPS_RESOURCE_EXHAUSTED, "no memory");
  (*out)->host = connector->host;
  copy_id((*out)->stream_id, sizeof(*out)->stream_id, stream->id);
  return KPS_OK;
}

static void destroy_producer(kps_producer *producer) { free(producer); }

static kps_code produce(kps_producer *producer, const kps_message *messages, size_t message_count,
                        uint32_t message_stride, uint32_t timeout_ms, size_t *taken, kps_error *error) {
  const char *at = (const char *)messages;
  (void)timeout_ms;
  for (*taken = 0; *taken < message_count; ++*taken, at += message_stride) {
    const kps_message *message = (const kps_message *)(const void *)at;
    if (message->payload.size == 3 && memcmp(message->payload.data, "bad", 3) == 0) {
      return fail(error, KPS_INVALID_ARGUMENT, "a bad message");
    }
    producer->host->counter_add(producer->host->context, str(producer->stream_id), str("bytes_total"),
                                message->payload.size);
    ++producer->unflushed;
  }
  return KPS_OK;
}

static kps_code flush(kps_producer *producer, uint32_t timeout_ms, kps_error *error) {
  (void)timeout_ms, (void)error;
  producer->host->counter_add(producer->host->context, str(producer->stream_id), str("flushed_total"),
                              producer->unflushed);
  producer->unflushed = 0;
  return KPS_OK;
}

static void wake_consumer(kps_consumer *consumer) {
  consumer->host->counter_add(consumer->host->context, str(consumer->stream_id), str("woken_total"), 1);
}

static void wake_producer(kps_producer *producer) {
  producer->host->counter_add(producer->host->context, str(producer->stream_id), str("woken_total"), 1);
}

static const void *get_extension(const char *name) {
  (void)name;
  return NULL;
}

static const kps_plugin table = {
    .struct_size = sizeof(kps_plugin),
    .abi_version = KPS_ABI_VERSION,
    .name = KPS_STR("abi-v1"),
    .version = KPS_STR("1.2.3"),
    .description = KPS_STR("Built when v1 was released."),
    .directions = KPS_DIRECTIONS_INGRESS | KPS_DIRECTIONS_EGRESS,
    .flags = KPS_FLAG_OVERLAP_SAFE,
    .static_schema = KPS_STR("{\"title\": \"static\"}"),
    .config_schema = KPS_STR("{\"title\": \"config\"}"),
    .stream_schema = KPS_STR("{\"title\": \"stream\"}"),
    .create_connector = create_connector,
    .destroy_connector = destroy_connector,
    .configure = configure,
    .discover = discover,
    .create_consumer = create_consumer,
    .destroy_consumer = destroy_consumer,
    .next_msg = next_msg,
    .ack = ack,
    .create_producer = create_producer,
    .destroy_producer = destroy_producer,
    .produce = produce,
    .flush = flush,
    .wake_consumer = wake_consumer,
    .wake_producer = wake_producer,
    .get_extension = get_extension,
};

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  return host_abi_version == KPS_ABI_VERSION ? &table : NULL;
}
