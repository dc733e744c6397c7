/* A thread_local object with a destructor. */
#include <string>

#include "../broken/good_table.h"

static thread_local std::string used;
KPS_EXPORT size_t use() { return used.append("x").size(); }

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("thread-exit");
  return &table;
}
