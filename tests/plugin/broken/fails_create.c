/* create_connector fails with a reason. */
#include "good_table.h"

static kps_code create(const kps_host *host, kps_str static_json, kps_str config_json, kps_connector **out,
                       kps_error *error) {
  static const char kText[] = "url: set it to the address of the broker";
  (void)host, (void)static_json, (void)config_json, (void)out;
  return kps_error_set(error, KPS_INVALID_ARGUMENT, kText, sizeof kText - 1);
}

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("fails-create");
  table.create_connector = create;
  return &table;
}
