/* Returns 0 for success, as C programs do; it is no kps_code. */
#include "good_table.h"

static kps_code create(const kps_host *host, kps_str static_json, kps_str config_json, kps_connector **out,
                       kps_error *error) {
  good_create_connector(host, static_json, config_json, out, error);
  return 0;
}

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("returns-zero-code");
  table.create_connector = create;
  return &table;
}
