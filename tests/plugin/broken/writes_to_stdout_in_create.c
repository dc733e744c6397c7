/* create_connector writes where it was not asked to: to stdout, and to the next descriptors as well. */
#include <stdio.h>
#include <unistd.h>

#include "good_table.h"

static kps_code create(const kps_host *host, kps_str static_json, kps_str config_json, kps_connector **out,
                       kps_error *error) {
  static const char kText[] = "all is well, says nobody: \0\1\2\3\4\5\6\7";
  for (int i = 0; i < 10000; ++i) {
    puts(kText);
    for (int fd = 3; fd < 10; ++fd) {
      if (write(fd, kText, sizeof kText) > 0) break;
    }
  }
  fflush(stdout);
  return good_create_connector(host, static_json, config_json, out, error);
}

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("writes-to-stdout-in-create");
  table.create_connector = create;
  return &table;
}
