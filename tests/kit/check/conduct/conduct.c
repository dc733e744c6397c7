/* A plugin that keeps every rule of `plugin check`; compiled with BREAK_RULE, it breaks that one, and no other.
 * BREAK_AWAY, BREAK_SILENT and BREAK_SLOW are no plugin's fault: a service that is away, one that has nothing, and one
 * that takes long. BREAK_CHOOSY refuses every connector, which is one only if somebody asked for it. */
#include <kps/plugin.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef BREAK_SILENT
enum { MESSAGES = 0 };
#else
enum { MESSAGES = 24 };
#endif
enum { BATCH_MAX = 4, TEXT_MAX = 32 };

struct kps_connector {
  const kps_host* host;
};

/* One batch; it lives until it is released. */
struct batch {
  kps_message messages[BATCH_MAX + 1];
  char texts[BATCH_MAX + 1][TEXT_MAX];
  char ids[BATCH_MAX + 1][TEXT_MAX];
  char position[TEXT_MAX];
};

struct kps_consumer {
  const kps_host* host;
  int32_t wake_fd;
  unsigned long read; /* messages */
  uint64_t token, acknowledged;
  uint32_t longest_timeout_ms;
  struct batch* last;
};

struct kps_producer {
  const kps_host* host;
  unsigned long unflushed;
};

#ifdef BREAK_EXCEPTIONS
void throw_something(void); /* throws.cc */
#endif

static kps_code fail(kps_error* error, kps_code code, const char* text) {
  return kps_error_set(error, code, text, strlen(text));
}

static kps_str stream_id(void) {
  static const kps_str id = KPS_STR("check-1");
  return id;
}

__attribute__((unused)) static void wait_ms(int milliseconds) { /* some of the broken ones wait */
  const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  nanosleep(&time, NULL);
}

#ifdef BREAK_SIDE_BY_SIDE
static int connectors;
#endif

static kps_code create_connector(const kps_host* host, kps_str static_json, kps_str config_json, kps_connector** out,
                                 kps_error* error) {
  (void)static_json, (void)config_json;
#ifdef BREAK_SIDE_BY_SIDE
  if (connectors > 0) return fail(error, KPS_FAILED_PRECONDITION, "there is one already");
  ++connectors;
#endif
#ifdef BREAK_PROCESS
  signal(SIGUSR1, SIG_IGN);
#endif
#ifdef BREAK_SLOW
  wait_ms(100);
#endif
#ifdef BREAK_CHOOSY
  return fail(error, KPS_INVALID_ARGUMENT, "nobody may come in");
#endif
  *out = calloc(1, sizeof **out);
  if (*out == NULL) return fail(error, KPS_RESOURCE_EXHAUSTED, "no memory");
  (*out)->host = host;
  return KPS_OK;
}

static void destroy_connector(kps_connector* connector) {
#ifdef BREAK_SIDE_BY_SIDE
  --connectors;
#endif
  free(connector);
}

static kps_code configure(kps_connector* connector, kps_str config_json, int32_t* outcome, kps_error* error) {
  (void)connector, (void)config_json, (void)error;
#ifdef BREAK_CONFIGURE
  *outcome = 7;
#else
  *outcome = KPS_CONFIGURE_APPLIED;
#endif
  return KPS_OK;
}

static kps_code discover(kps_connector* connector, const kps_discover_sink* sink, uint32_t timeout_ms,
                         kps_error* error) {
#ifdef BREAK_DISCOVER
  static const kps_str found = KPS_STR("[]");
#else
  static const kps_str found = KPS_STR("{\"id\": \"somewhere\", \"direction\": \"INGRESS\"}");
#endif
  (void)connector, (void)timeout_ms, (void)error;
#ifdef BREAK_EXCEPTIONS
  throw_something();
#endif
  sink->found(sink->context, found);
  return KPS_OK;
}

/* The number that `position` is; -1: it is none. */
static long number_of(kps_bytes position) {
  char text[TEXT_MAX];
  char* end = text;
  long number = 0;
  if (position.size == 0) return 0;
  if (position.size >= sizeof text) return -1;
  memcpy(text, position.data, position.size);
  text[position.size] = '\0';
  number = strtol(text, &end, 10);
  return end == text + position.size && number >= 0 ? number : -1;
}

static kps_code create_consumer(kps_connector* connector, const kps_stream* stream, kps_bytes resume,
                                kps_consumer** out, kps_error* error) {
  long number = number_of(resume);
#ifdef BREAK_AWAY
  return fail(error, KPS_UNAVAILABLE, "no service at all");
#endif
#ifdef BREAK_CREATE
  return fail(error, KPS_INVALID_ARGUMENT, "nothing is good enough");
#endif
#ifdef BREAK_HANG
  for (;;) pause();
#endif
#ifdef BREAK_BOUNDS
  if (strlen(stream->metadata_json.data == NULL ? "" : stream->metadata_json.data) == 12345) return KPS_INTERNAL;
#endif
#ifdef BREAK_HOSTILE
  if (stream->metadata_json.size == 0) abort();
#endif
#ifdef BREAK_FOREIGN_POSITION
  if (number < 0) number = 0;
#endif
#ifdef BREAK_ERRORS
  if (number < 0) return KPS_DATA_LOSS;
#endif
  if (number < 0) return fail(error, KPS_DATA_LOSS, "the position is no number");
  *out = calloc(1, sizeof **out);
  if (*out == NULL) return fail(error, KPS_RESOURCE_EXHAUSTED, "no memory");
  (*out)->host = connector->host;
  (*out)->wake_fd = stream->wake_fd;
  (*out)->read = (unsigned long)number;
  return KPS_OK;
}

static void destroy_consumer(kps_consumer* consumer) {
#ifdef BREAK_STOP
  if (consumer->longest_timeout_ms > 1000) wait_ms(1200); /* as if it had gone to sleep */
#endif
#ifdef BREAK_RELEASE
  free(consumer->last);
#endif
  free(consumer);
}

static void wait_for_more(const kps_consumer* consumer, uint32_t timeout_ms) {
  struct pollfd woken = {consumer->wake_fd, POLLIN, 0};
#ifdef BREAK_READ_TIMEOUT
  timeout_ms += 200;
#endif
#ifdef BREAK_READ_WAKE
  if (!consumer->host->should_stop(consumer->host->context, stream_id())) wait_ms((int)timeout_ms);
  return;
#endif
  (void)poll(&woken, 1, (int)timeout_ms);
}

static void release(void* batch) {
#ifdef BREAK_RELEASE
  (void)batch;
#else
  free(batch);
#endif
}

static struct batch* new_batch(kps_consumer* consumer) {
#ifdef BREAK_RELEASE
  if (consumer->last != NULL) return consumer->last; /* somebody may still look at it */
#endif
  consumer->last = calloc(1, sizeof *consumer->last);
  return consumer->last;
}

static kps_code next_msg(kps_consumer* consumer, const kps_limits* limits, uint32_t timeout_ms, kps_batch* out,
                         kps_error* error) {
  struct batch* batch = NULL;
  size_t count = 0, bytes = 0, most = limits->messages_max < BATCH_MAX ? limits->messages_max : BATCH_MAX;
  if (timeout_ms > consumer->longest_timeout_ms) consumer->longest_timeout_ms = timeout_ms;
  if ((long)consumer->read >= MESSAGES) {
    wait_for_more(consumer, timeout_ms);
    return KPS_OK;
  }
  batch = new_batch(consumer);
  if (batch == NULL) return fail(error, KPS_RESOURCE_EXHAUSTED, "no memory");
#ifdef BREAK_BATCH
  if (limits->messages_max == 1) most = 2;
#endif
  while (count < most && (long)consumer->read < MESSAGES) {
    kps_message* message = &batch->messages[count];
    const int size = snprintf(batch->texts[count], TEXT_MAX, "message %lu", consumer->read);
    if (count > 0 && bytes + (size_t)size > limits->bytes_max) break;
    bytes += (size_t)size;
    message->payload.data = batch->texts[count];
    message->payload.size = (size_t)size;
    message->id.data = batch->ids[count];
    message->id.size = (size_t)snprintf(batch->ids[count], TEXT_MAX, "%lu", consumer->read);
    ++consumer->read;
    ++count;
  }
  out->messages = batch->messages;
  out->message_stride = sizeof(kps_message);
  out->message_count = count;
  out->token = ++consumer->token;
#ifdef BREAK_POSITION
  out->position.size = (size_t)snprintf(batch->position, TEXT_MAX, "%lu", consumer->read - 1);
#else
  out->position.size = (size_t)snprintf(batch->position, TEXT_MAX, "%lu", consumer->read);
#endif
  out->position.data = batch->position;
  out->release = release;
  out->release_context = batch;
  return KPS_OK;
}

static kps_code ack(kps_consumer* consumer, uint64_t token, kps_error* error) {
  (void)error;
#ifdef BREAK_ACK
  if (token > consumer->acknowledged + 1) return fail(error, KPS_FAILED_PRECONDITION, "one was left out");
#endif
  consumer->acknowledged = token;
  return KPS_OK;
}

static kps_code create_producer(kps_connector* connector, const kps_stream* stream, kps_producer** out,
                                kps_error* error) {
  (void)stream;
  *out = calloc(1, sizeof **out);
  if (*out == NULL) return fail(error, KPS_RESOURCE_EXHAUSTED, "no memory");
  (*out)->host = connector->host;
#ifdef BREAK_REPEAT
  {
    static void* volatile lost; /* nobody frees it */
    lost = malloc(64);
    if (lost == NULL) return fail(error, KPS_RESOURCE_EXHAUSTED, "no memory");
  }
#endif
  return KPS_OK;
}

static void destroy_producer(kps_producer* producer) { free(producer); }

static kps_code produce(kps_producer* producer, const kps_message* messages, size_t message_count,
                        uint32_t message_stride, uint32_t timeout_ms, size_t* taken, kps_error* error) {
  static const kps_str bytes_total = KPS_STR("bytes_total");
#ifdef BREAK_HOST_CALLS
  static const kps_str count_name = KPS_STR("Messages taken");
#else
  static const kps_str count_name = KPS_STR("messages_total");
#endif
  const char* at = (const char*)messages;
  uint64_t sum = 0;
  (void)timeout_ms, (void)error;
#ifdef BREAK_PRODUCE_TIMEOUT
  if (message_count > 1) wait_ms((int)timeout_ms + 100);
#endif
#ifdef BREAK_PRODUCE
  message_stride = sizeof(kps_message);
#endif
  for (*taken = 0; *taken < message_count; ++*taken, at += message_stride) {
    const kps_bytes payload = ((const kps_message*)(const void*)at)->payload;
    size_t i = 0;
    for (i = 0; i < payload.size; ++i) sum += ((const unsigned char*)payload.data)[i];
  }
  producer->unflushed += *taken;
  producer->host->counter_add(producer->host->context, stream_id(), count_name, *taken);
  producer->host->counter_add(producer->host->context, stream_id(), bytes_total, sum);
  return KPS_OK;
}

static kps_code flush(kps_producer* producer, uint32_t timeout_ms, kps_error* error) {
  (void)timeout_ms, (void)error;
#ifdef BREAK_FLUSH
  if (producer->unflushed == 0) return fail(error, KPS_INTERNAL, "there is nothing to flush");
#endif
  producer->unflushed = 0;
  return KPS_OK;
}

static const kps_plugin table = {
    .struct_size = sizeof(kps_plugin),
    .abi_version = KPS_ABI_VERSION,
    .name = KPS_STR("conduct"),
#ifdef BREAK_TABLE
    .version = KPS_STR("one"),
#else
    .version = KPS_STR("1.0.0"),
#endif
    .description = KPS_STR("Does what it has to."),
    .directions = KPS_DIRECTIONS_INGRESS | KPS_DIRECTIONS_EGRESS,
    .config_schema = KPS_STR("{\"type\": \"object\"}"),
#ifdef BREAK_SCHEMAS
    .stream_schema = KPS_STR("{\"type\": \"object\", \"properties\": {\"pace\": {\"type\": \"integer\"}}}"),
#else
    .stream_schema =
        KPS_STR("{\"type\": \"object\", \"properties\": {\"pace\": {\"type\": \"integer\", \"default\": 1, "
                "\"description\": \"means nothing\"}}}"),
#endif
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
};

const kps_plugin* kps_plugin_v1(uint32_t host_abi_version) {
  return host_abi_version == KPS_ABI_VERSION ? &table : NULL;
}
