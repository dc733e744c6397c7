// How the platform runs a connector: Kubernetes objects, a template over the static parameters of an instance.
#pragma once

#include <string>
#include <vector>

namespace kps::cli {

struct StaticParameter {
  std::string name;
  bool required = false;  // of every instance
};

struct YamlOptions {
  std::string name;                         // of the Deployment; the Service is NAME-svc
  std::string image;                        // with its tag, or the reference to the parameter that is the tag
  std::vector<StaticParameter> parameters;  // of the plugin, which go to it one by one
  bool parameters_as_one = false;           // instead: the parameter static_parameters, a JSON object as text
};

// Two documents, each line ending in a newline.
std::string ConnectorYaml(const YamlOptions& options);

}  // namespace kps::cli
