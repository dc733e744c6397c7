/* create_connector never returns. When the static parameters name a file, the numbers of this process and of a child,
 * which hangs as well, are there before. */
#include <unistd.h>

#include <cstdio>
#include <string>

#include "good_table.h"

static kps_code create(const kps_host *, kps_str static_json, kps_str, kps_connector **, kps_error *) {
  const std::string path(static_json.data, static_json.size);
  if (!path.empty() && path[0] == '/') {
    const pid_t child = fork();
    if (child > 0) {
      std::FILE *file = std::fopen((path + ".new").c_str(), "w");
      std::fprintf(file, "%d %d\n", getpid(), child);
      std::fclose(file);
      std::rename((path + ".new").c_str(), path.c_str());
    }
  }
  for (;;) pause();
}

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("hangs-in-create");
  table.create_connector = create;
  return &table;
}
