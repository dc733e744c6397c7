/* Discovers streams, some of which make no sense. A time limit of 7 ms makes it flood, one of 8 ms makes it fail. */
#include <stdio.h>

#include "good_table.h"

static const char *const entries[] = {
    "{\"id\": \"a\", \"direction\": \"INGRESS\", \"metadata\": {\"z\": 1, \"b\": \"\\u00e4\"}}",
    "{\"id\": \"b\"}",
    "not JSON",
    "[]",
    "{\"direction\": \"INGRESS\"}",
    "{\"id\": \"\"}",
    "{\"id\": 7}",
    "{\"id\": \"c\", \"direction\": \"SIDEWAYS\"}",
    "{\"id\": \"d\", \"direction\": \"EGRESS\"}",
    "{\"id\": \"e\", \"metadata\": [1]}",
    "{\"id\": \"a\"}",
};

/* The host copies: the same buffer serves all entries. */
static char buffer[70000];

static void report(const kps_discover_sink *sink, size_t size) {
  kps_str entry;
  entry.data = buffer;
  entry.size = size;
  sink->found(sink->context, entry);
}

static kps_code discover(kps_connector *connector, const kps_discover_sink *sink, uint32_t timeout_ms,
                         kps_error *error) {
  static const char kText[] = "the broker is away";
  size_t i;
  (void)connector;
  for (i = 0; i < sizeof entries / sizeof *entries; ++i) {
    memcpy(buffer, entries[i], strlen(entries[i]));
    report(sink, strlen(entries[i]));
  }
  memset(buffer, ' ', sizeof buffer);
  memcpy(buffer, "{\"id\": \"long\"}", 14);
  report(sink, sizeof buffer);
  for (i = 0; timeout_ms == 7 && i < 20000; ++i) report(sink, (size_t)sprintf(buffer, "{\"id\": \"%u\"}", (unsigned)i));
  return timeout_ms == 8 ? kps_error_set(error, KPS_UNAVAILABLE, kText, sizeof kText - 1) : KPS_OK;
}

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("discovers-nonsense");
  table.discover = discover;
  return &table;
}
