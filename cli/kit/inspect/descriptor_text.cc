#include "cli/kit/inspect/descriptor_text.h"

#include <cstdlib>

#include "host/core/json.h"
#include "host/plugin/packed_texts.h"

namespace kps::cli {
namespace {

constexpr std::size_t kTexts = 9;

std::string Names(const std::vector<std::string>& names) {
  std::string json;
  for (const std::string& name : names) json += (json.empty() ? "[" : ",") + JsonString(name);
  return json.empty() ? "[]" : json + "]";
}

std::vector<std::string> YesOf(const PluginDescriptor& descriptor) {
  std::vector<std::string> yes;
  if (descriptor.ingress) yes.emplace_back("ingress");
  if (descriptor.egress) yes.emplace_back("egress");
  if (descriptor.discovers) yes.emplace_back("discovers");
  if (descriptor.no_unload) yes.emplace_back("no_unload");
  if (descriptor.overlap_safe) yes.emplace_back("overlap_safe");
  return yes;
}

}  // namespace

std::string PackDescriptor(const PluginDescriptor& descriptor) {
  return PackTexts({descriptor.name, descriptor.version, descriptor.description, descriptor.static_schema,
                    descriptor.config_schema, descriptor.stream_schema, std::to_string(descriptor.abi_version),
                    Names(descriptor.functions), Names(YesOf(descriptor))});
}

std::optional<PluginDescriptor> UnpackDescriptor(std::string_view packed) {
  const auto texts = UnpackTexts(packed, kTexts);
  if (!texts) return {};
  PluginDescriptor descriptor;
  descriptor.name = (*texts)[0];
  descriptor.version = (*texts)[1];
  descriptor.description = (*texts)[2];
  descriptor.static_schema = (*texts)[3];
  descriptor.config_schema = (*texts)[4];
  descriptor.stream_schema = (*texts)[5];
  descriptor.abi_version = static_cast<std::uint32_t>(std::strtoul((*texts)[6].c_str(), nullptr, 10));
  descriptor.functions = JsonStrings((*texts)[7]);
  for (const std::string& yes : JsonStrings((*texts)[8])) {
    descriptor.ingress |= yes == "ingress";
    descriptor.egress |= yes == "egress";
    descriptor.discovers |= yes == "discovers";
    descriptor.no_unload |= yes == "no_unload";
    descriptor.overlap_safe |= yes == "overlap_safe";
  }
  return descriptor;
}

}  // namespace kps::cli
