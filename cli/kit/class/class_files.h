// The platform's JSON of a connector whose work a plugin does: its class, and a sample of everything that is made of
// one. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "cli/result.h"
#include "host/core/plugin.h"

namespace kps::cli {

struct GeneratedFile {
  std::string name;
  std::string content;
};

// What the samples have besides what their schemas show, each KEY=VALUE. Where a key is named twice, the last one
// counts, and that of the direction.
struct SampleValues {
  std::vector<std::string> streams{};  // metadata of both
  std::vector<std::string> ingress{};
  std::vector<std::string> egress{};
  std::vector<std::string> instance{};  // static parameters
};

// connector_class.json, connector_instance.json, connector_config.json, connector_stream_ingress.json and
// connector_stream_egress.json, as far as the plugin has them, and connector.yaml, which the class holds as well.
// `image` without a tag gets one by the static parameter image_tag. The samples of streams and of the instance are made
// of the schemas and of `values`. Exit code 1: those, or the image, are not valid; 2: the plugin's schemas do not allow
// it.
Result<std::vector<GeneratedFile>> ClassFiles(const PluginDescriptor& plugin, const std::string& image,
                                              const SampleValues& values);

// One class for all of `plugins`, of which an instance chooses one by the static parameter `plugin`: class, instance
// and YAML. `plugins` is not empty.
Result<std::vector<GeneratedFile>> ClassFilesForAll(const std::vector<PluginDescriptor>& plugins,
                                                    const std::string& image);

}  // namespace kps::cli
