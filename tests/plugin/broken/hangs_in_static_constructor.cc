/* A static constructor never returns. */
#include <unistd.h>

#include "good_table.h"

struct Hangs {
  Hangs() {
    for (;;) pause();
  }
};
static Hangs hangs;

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("hangs-in-static-constructor");
  return &table;
}
