/* Its schema is none. */
#include "../broken/good_table.h"

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static const kps_str schema = KPS_STR("{\"type\": \"text\"}");
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("bad-schema");
  table.stream_schema = schema;
  return &table;
}
