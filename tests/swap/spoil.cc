// A real plugin with one thing spoiled, by KPS_SPOIL. Its own entry is compiled under the name real_plugin_v1.
#include <kps/plugin.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>

extern "C" const kps_plugin* real_plugin_v1(uint32_t host_abi_version);

namespace {

constexpr std::string_view kSpoil = KPS_SPOIL;

// Longer than the host waits for one step, and not for ever: what hangs has to end before the test does.
void Hang() { std::this_thread::sleep_for(std::chrono::seconds(8)); }

kps_code Fail(kps_error* error) {
  constexpr std::string_view kText = "spoiled";
  error->code = KPS_UNAVAILABLE;
  error->text_size = kText.size();
  std::memcpy(error->text, kText.data(), kText.size());
  return KPS_UNAVAILABLE;
}

struct ThrowsAtLoad {
  ThrowsAtLoad() {
    if (kSpoil == "throws_at_load") throw std::runtime_error("spoiled");
  }
} throws_at_load;

kps_plugin Spoil(kps_plugin table) {
  if (kSpoil == "newer_abi") table.abi_version = KPS_ABI_VERSION + 1;
  if (kSpoil == "other_name") table.name = {"other", 5};
  if (kSpoil == "stricter_schema") {
    static constexpr std::string_view kSchema = R"({"type":"object","required":["neverSet"]})";
    table.stream_schema = {kSchema.data(), kSchema.size()};
  }
  if (kSpoil == "connector_fails") {
    table.create_connector = [](const kps_host*, kps_str, kps_str, kps_connector**, kps_error* error) {
      return Fail(error);
    };
  }
  if (kSpoil == "connector_hangs") {
    table.create_connector = [](const kps_host*, kps_str, kps_str, kps_connector**, kps_error* error) {
      Hang();
      return Fail(error);
    };
  }
  if (kSpoil == "connector_crashes") {
    table.create_connector = [](const kps_host*, kps_str, kps_str, kps_connector**, kps_error* error) {
      std::raise(SIGSEGV);
      return Fail(error);
    };
  }
  if (kSpoil == "instances_fail") {
    table.create_consumer = [](kps_connector*, const kps_stream*, kps_bytes, kps_consumer**, kps_error* error) {
      return Fail(error);
    };
    table.create_producer = [](kps_connector*, const kps_stream*, kps_producer**, kps_error* error) {
      return Fail(error);
    };
  }
  if (kSpoil == "instances_hang") {
    table.create_consumer = [](kps_connector*, const kps_stream*, kps_bytes, kps_consumer**, kps_error* error) {
      Hang();
      return Fail(error);
    };
    table.create_producer = [](kps_connector*, const kps_stream*, kps_producer**, kps_error* error) {
      Hang();
      return Fail(error);
    };
  }
  if (kSpoil == "first_read_fails") {
    table.next_msg = [](kps_consumer*, const kps_limits*, uint32_t, kps_batch*, kps_error* error) {
      return Fail(error);
    };
  }
  return table;
}

}  // namespace

#ifndef KPS_ENTRY
#define KPS_ENTRY kps_plugin_v1
#endif
extern "C" KPS_EXPORT const kps_plugin* KPS_ENTRY(uint32_t host_abi_version) {
  static const kps_plugin table = Spoil(*real_plugin_v1(host_abi_version));
  return &table;
}
