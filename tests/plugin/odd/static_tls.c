/* Wants its thread-local memory at a fixed place. */
#include "../broken/good_table.h"

static __thread int counted __attribute__((tls_model("initial-exec")));
KPS_EXPORT int count_up(void) { return ++counted; }

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("static-tls");
  return &table;
}
