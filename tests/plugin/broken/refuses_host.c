/* Does not support this host. */
#include <kps/plugin.h>

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  (void)host_abi_version;
  return NULL;
}
