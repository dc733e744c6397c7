/* A plugin that works and does nothing. Each broken one takes this table and spoils one thing in it. */
#ifndef KPS_TESTS_GOOD_TABLE_H
#define KPS_TESTS_GOOD_TABLE_H

#include <kps/plugin.h>
#include <stdint.h>
#include <string.h>

static int good_instance;

static inline kps_str good_text(const char *text) {
  kps_str result;
  result.data = text;
  result.size = strlen(text);
  return result;
}

static inline kps_code good_create_connector(const kps_host *host, kps_str static_json, kps_str config_json,
                                             kps_connector **out, kps_error *error) {
  (void)host, (void)static_json, (void)config_json, (void)error;
  *out = (kps_connector *)&good_instance;
  return KPS_OK;
}
static inline void good_destroy_connector(kps_connector *connector) { (void)connector; }

static inline kps_code good_create_consumer(kps_connector *connector, const kps_stream *stream, kps_bytes resume,
                                            kps_consumer **out, kps_error *error) {
  (void)connector, (void)stream, (void)resume, (void)error;
  *out = (kps_consumer *)&good_instance;
  return KPS_OK;
}
static inline void good_destroy_consumer(kps_consumer *consumer) { (void)consumer; }
static inline kps_code good_next_msg(kps_consumer *consumer, const kps_limits *limits, uint32_t timeout_ms,
                                     kps_batch *batch, kps_error *error) {
  (void)consumer, (void)limits, (void)timeout_ms, (void)batch, (void)error;
  return KPS_OK;
}

/* INGRESS only, so that there is little to fill. */
static inline kps_plugin good_table(const char *name) {
  kps_plugin table;
  memset(&table, 0, sizeof table);
  table.struct_size = sizeof table;
  table.abi_version = KPS_ABI_VERSION;
  table.name = good_text(name);
  table.version = good_text("1.0.0");
  table.description = good_text("A plugin of the tests.");
  table.directions = KPS_DIRECTIONS_INGRESS;
  table.create_connector = good_create_connector;
  table.destroy_connector = good_destroy_connector;
  table.create_consumer = good_create_consumer;
  table.destroy_consumer = good_destroy_consumer;
  table.next_msg = good_next_msg;
  return table;
}

#endif
