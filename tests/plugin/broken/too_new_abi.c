/* Built for a plugin ABI that no host has yet. */
#include "good_table.h"

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("too-new-abi");
  table.abi_version = 99;
  return &table;
}
