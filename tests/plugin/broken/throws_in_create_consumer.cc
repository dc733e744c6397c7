/* Something that is no std::exception escapes create_consumer. */
#include "good_table.h"

static kps_code create(kps_connector *, const kps_stream *, kps_bytes, kps_consumer **, kps_error *) { throw 7; }

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("throws-in-create-consumer");
  table.create_consumer = create;
  return &table;
}
