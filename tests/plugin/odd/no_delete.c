/* Linked with -z nodelete. */
#include "../broken/good_table.h"

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("no-delete");
  return &table;
}
