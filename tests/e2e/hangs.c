/* A plugin that does not return from the function that KPS_TEST_HANGS names, whoever wakes it. */
#include <stdlib.h>
#include <unistd.h>

#include "../plugin/broken/good_table.h"

static void hang_in(const char* function) {
  const char* chosen = getenv("KPS_TEST_HANGS");
  if (chosen == NULL || strcmp(chosen, function) != 0) return;
  for (;;) pause();
}

static kps_code create_consumer(kps_connector* connector, const kps_stream* stream, kps_bytes resume,
                                kps_consumer** out, kps_error* error) {
  hang_in("create_consumer");
  return good_create_consumer(connector, stream, resume, out, error);
}
static void destroy_consumer(kps_consumer* consumer) {
  (void)consumer;
  hang_in("destroy_consumer");
}
static kps_code next_msg(kps_consumer* consumer, const kps_limits* limits, uint32_t timeout_ms, kps_batch* batch,
                         kps_error* error) {
  (void)consumer, (void)limits, (void)batch, (void)error;
  if (timeout_ms > 0) hang_in("next_msg"); /* it seems healthy at first */
  return KPS_OK;
}
static kps_code configure(kps_connector* connector, kps_str config_json, int32_t* outcome, kps_error* error) {
  (void)connector, (void)config_json, (void)outcome, (void)error;
  hang_in("configure");
  return KPS_OK;
}
static void destroy_connector(kps_connector* connector) {
  (void)connector;
  hang_in("destroy_connector");
}

const kps_plugin* kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("hangs");
  table.configure = configure;
  table.destroy_connector = destroy_connector;
  table.create_consumer = create_consumer;
  table.destroy_consumer = destroy_consumer;
  table.next_msg = next_msg;
  return &table;
}
