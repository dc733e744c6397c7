/* Needs a library that is beside it. */
#include "../broken/good_table.h"

int from_a_library(void);
KPS_EXPORT int use(void) { return from_a_library(); }

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("needs-library");
  return &table;
}
