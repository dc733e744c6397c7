/* An exception escapes create_connector. */
#include <stdexcept>

#include "good_table.h"

static kps_code create(const kps_host *, kps_str, kps_str, kps_connector **, kps_error *) {
  throw std::runtime_error("no such broker");
}

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("throws-in-create");
  table.create_connector = create;
  return &table;
}
