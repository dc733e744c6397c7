/* It says that it cannot be unloaded. */
#include "good_table.h"

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("no-unload");
  table.flags = KPS_FLAG_NO_UNLOAD;
  return &table;
}
