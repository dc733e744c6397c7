/* create_connector crashes, after it has written a lot to stderr. */
#include <signal.h>
#include <stdio.h>

#include "good_table.h"

static kps_code create(const kps_host *host, kps_str static_json, kps_str config_json, kps_connector **out,
                       kps_error *error) {
  (void)host, (void)static_json, (void)config_json, (void)out, (void)error;
  for (int i = 0; i < 20000; ++i) fprintf(stderr, "line %d\n", i);
  fprintf(stderr, "  about to\tcrash\n\n");
  raise(SIGSEGV);
  return KPS_OK;
}

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("crashes-in-create");
  table.create_connector = create;
  return &table;
}
