/* Runs the plugin as a host does: through its table. */
#include <kps/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition)                                                   \
  do {                                                                      \
    if (condition) break;                                                   \
    fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
    exit(1);                                                                \
  } while (0)

static kps_host host; /* what stays NULL is not offered */
static kps_error error;
static const kps_plugin *plugin;
static kps_connector *connector;

static kps_stream stream_of(int32_t direction, const char *metadata_json) {
  const kps_str name = KPS_STR("s");
  kps_stream stream = {sizeof stream, direction, name, name, {metadata_json, strlen(metadata_json)}, -1, 0};
  return stream;
}

/* begin INGRESS */
static kps_code create_consumer(const char *metadata_json, const char *position, kps_consumer **consumer) {
  const kps_stream stream = stream_of(KPS_DIRECTION_INGRESS, metadata_json);
  const kps_bytes resume = {position, strlen(position)};
  return plugin->create_consumer(connector, &stream, resume, consumer, &error);
}

static void expect_tick(const char *position, const char *text, const char *next_position) {
  const kps_limits limits = {sizeof limits, 100, 1 << 20};
  kps_batch batch = {0};
  kps_consumer *consumer = NULL;
  EXPECT(create_consumer("{\"intervalMs\": 1}", position, &consumer) == KPS_OK);
  batch.struct_size = sizeof batch;
  EXPECT(plugin->next_msg(consumer, &limits, 1000, &batch, &error) == KPS_OK);
  EXPECT(batch.message_count == 1);
  EXPECT(batch.messages->payload.size == strlen(text));
  EXPECT(memcmp(batch.messages->payload.data, text, strlen(text)) == 0);
  EXPECT(batch.position.size == strlen(next_position));
  EXPECT(memcmp(batch.position.data, next_position, strlen(next_position)) == 0);
  plugin->destroy_consumer(consumer);
}

static void a_stream_goes_on_where_it_was(void) {
  expect_tick("", "tick 1", "1");
  expect_tick("1", "tick 2", "2");
}

static void what_is_wrong_is_refused(void) {
  kps_consumer *consumer = NULL;
  EXPECT(create_consumer("{\"interval\": 1}", "", &consumer) == KPS_INVALID_ARGUMENT);
  EXPECT(create_consumer("{\"intervalMs\": 0}", "", &consumer) == KPS_INVALID_ARGUMENT);
  EXPECT(create_consumer("{}", "x", &consumer) == KPS_DATA_LOSS);
  EXPECT(consumer == NULL);
}

/* end INGRESS */
/* begin EGRESS */
static uint64_t received_bytes;

static void counter_add(void *context, kps_str stream_id, kps_str name, uint64_t increment) {
  const kps_str wanted = KPS_STR("received_bytes_total");
  (void)context, (void)stream_id;
  if (name.size == wanted.size && memcmp(name.data, wanted.data, wanted.size) == 0) received_bytes += increment;
}

static void messages_are_counted(void) {
  const kps_message messages[] = {{{"a", 1}, 0, {NULL, 0}}, {{"bcd", 3}, 0, {NULL, 0}}};
  const kps_stream stream = stream_of(KPS_DIRECTION_EGRESS, "{}");
  kps_producer *producer = NULL;
  size_t taken = 0;
  EXPECT(plugin->create_producer(connector, &stream, &producer, &error) == KPS_OK);
  EXPECT(plugin->produce(producer, messages, 2, sizeof messages[0], 1000, &taken, &error) == KPS_OK);
  EXPECT(taken == 2);
  EXPECT(received_bytes == 4);
  plugin->destroy_producer(producer);
}

/* end EGRESS */
int main(void) {
  const kps_str none = KPS_STR("{}");
  host.struct_size = sizeof host;
  host.abi_version = KPS_ABI_VERSION;
  /* begin EGRESS */
  host.counter_add = counter_add;
  /* end EGRESS */
  error.struct_size = sizeof error;
  plugin = kps_plugin_v1(KPS_ABI_VERSION);
  EXPECT(plugin->create_connector(&host, none, none, &connector, &error) == KPS_OK);
  /* begin INGRESS */
  a_stream_goes_on_where_it_was();
  what_is_wrong_is_refused();
  /* end INGRESS */
  /* begin EGRESS */
  messages_are_counted();
  /* end EGRESS */
  plugin->destroy_connector(connector);
  return 0;
}
