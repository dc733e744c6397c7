#include "discovered.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace kps::plugins {

std::string discovered_stream(const std::string& id,
                              std::initializer_list<std::pair<const char*, std::string>> metadata) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  const auto text = [&](const std::string& of) {
    writer.String(of.data(), static_cast<rapidjson::SizeType>(of.size()));
  };
  writer.StartObject();
  writer.Key("id");
  text(id);
  writer.Key("direction");
  writer.String("INGRESS");
  writer.Key("metadata");
  writer.StartObject();
  for (const auto& [key, value] : metadata) {
    writer.Key(key);
    text(value);
  }
  writer.EndObject();
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize());
}

}  // namespace kps::plugins
