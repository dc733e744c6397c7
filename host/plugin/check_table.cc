#include "host/plugin/check_table.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "host/plugin/text.h"

namespace kps {
namespace {

// What a table of the first release has; later members are looked at only when struct_size covers them.
constexpr std::uint32_t kTableSizeMin = offsetof(kps_plugin, get_extension) + sizeof(void*);

}  // namespace

Error CheckTable(const kps_plugin* table) {
  if (table->abi_version > KPS_ABI_VERSION) {
    return Error(Code::kFailedPrecondition, "is built for plugin ABI " + std::to_string(table->abi_version) +
                                                ", but this host has " + std::to_string(KPS_ABI_VERSION) +
                                                ": use a newer host, or build the plugin with this host's headers");
  }
  if (table->abi_version == 0 || table->struct_size < kTableSizeMin) {
    return Error(Code::kInvalidArgument, "has a broken table: struct_size is " + std::to_string(table->struct_size) +
                                             " and must be sizeof(kps_plugin), abi_version must be KPS_ABI_VERSION");
  }
  const auto missing = [](const char* what) {
    return Error(Code::kInvalidArgument, std::string("has an incomplete table: ") + what);
  };
  if (View(table->name).empty()) return missing("name is empty");
  if (table->create_connector == nullptr || table->destroy_connector == nullptr) {
    return missing("create_connector and destroy_connector are needed");
  }
  constexpr uint32_t kBoth = KPS_DIRECTIONS_INGRESS | KPS_DIRECTIONS_EGRESS;
  if ((table->directions & kBoth) == 0) return missing("directions names neither ingress nor egress");
  if ((table->directions & KPS_DIRECTIONS_INGRESS) != 0 &&
      (table->create_consumer == nullptr || table->destroy_consumer == nullptr || table->next_msg == nullptr)) {
    return missing("ingress needs create_consumer, destroy_consumer and next_msg");
  }
  if ((table->directions & KPS_DIRECTIONS_EGRESS) != 0 &&
      (table->create_producer == nullptr || table->destroy_producer == nullptr || table->produce == nullptr)) {
    return missing("egress needs create_producer, destroy_producer and produce");
  }
  return {};
}

}  // namespace kps
