/* Refuses in a way that no host should take at its word: an outcome of configure that does not exist, and an error that
 * asks for 49 days of patience. */
#include "good_table.h"

static kps_code configure(kps_connector *connector, kps_str config_json, int32_t *outcome, kps_error *error) {
  (void)connector, (void)config_json, (void)error;
  *outcome = 7;
  return KPS_OK;
}

static kps_code create_consumer(kps_connector *connector, const kps_stream *stream, kps_bytes resume,
                                kps_consumer **out, kps_error *error) {
  (void)connector, (void)stream, (void)resume, (void)out;
  error->retry_after_ms = UINT32_MAX;
  return kps_error_set(error, KPS_UNAVAILABLE, "away", 4);
}

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("odd-answers");
  table.configure = configure;
  table.create_consumer = create_consumer;
  return &table;
}
