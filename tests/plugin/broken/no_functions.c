/* A table without create_connector. */
#include "good_table.h"

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("no-functions");
  table.create_connector = NULL;
  return &table;
}
