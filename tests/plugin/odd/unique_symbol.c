/* One symbol of which a process has only one, as inline statics of C++ are without -fno-gnu-unique. */
#include "../broken/good_table.h"

KPS_EXPORT int kept_once = 1;
__asm__(".type kept_once, @gnu_unique_object");

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("unique-symbol");
  return &table;
}
