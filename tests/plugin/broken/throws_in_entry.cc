/* An exception escapes kps_plugin_v1 itself. */
#include <stdexcept>

#include "good_table.h"

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("throws-in-entry");
  if (host_abi_version > 0) throw std::runtime_error("too early");
  return &table;
}
