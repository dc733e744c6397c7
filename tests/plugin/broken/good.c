/* Nothing is wrong with this one: it shows that the others fail for their reason alone. */
#include "good_table.h"

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("good");
  return &table;
}
