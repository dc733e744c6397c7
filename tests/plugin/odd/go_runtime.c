/* What a library that was built by Go has. */
#include "../broken/good_table.h"

__asm__(".pushsection .go.buildinfo,\"a\"\n.byte 1\n.popsection");

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("go-runtime");
  return &table;
}
