/* An exception escapes a static constructor: it ends the process within dlopen. */
#include <stdexcept>

#include "good_table.h"

struct Throws {
  Throws() { throw std::runtime_error("no static luck"); }
};
static Throws throws;

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("throws-in-static-constructor");
  return &table;
}
