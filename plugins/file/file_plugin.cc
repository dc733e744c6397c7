// The connector of the file plugin: reads the metadata, makes consumers and producers.
#include <support/discovered.h>

#include <kps/cpp/params.hpp>
#include <kps/plugin.hpp>
#include <memory>

#include "file_consumer.h"
#include "file_discovery.h"
#include "file_producer.h"

namespace kps::plugins {
namespace {

constexpr char kStaticSchema[] = R"json({
  "type": "object",
  "properties": {
    "root": {"type": "string", "pattern": "^/",
             "description": "The directory below which the files of all streams have to be, by default anywhere; a relative path begins there"},
    "discover": {"type": "string", "minLength": 1,
                 "description": "Which files are shown as streams that could be set: a pattern such as /var/log/*.log"}
  },
  "additionalProperties": false
})json";

constexpr char kStreamSchema[] = R"json({
  "type": "object",
  "properties": {
    "path": {"type": "string", "minLength": 1, "description": "The file to follow (INGRESS) or append to (EGRESS)"},
    "mode": {"enum": ["lines", "chunks"], "default": "lines",
             "description": "A message is a line without its newline, or a piece of the bytes as they are"},
    "from": {"enum": ["start", "end"], "default": "start",
             "description": "INGRESS: where a stream without a position starts in a file that exists already"},
    "chunkBytes": {"type": "integer", "minimum": 1, "maximum": 67108864, "default": 65536,
                   "description": "INGRESS, mode chunks: the most bytes of a message"},
    "lineBytesMax": {"type": "integer", "minimum": 1, "maximum": 67108864, "default": 1000000,
                     "description": "INGRESS, mode lines: a longer line comes in pieces of that many bytes"},
    "rotateWaitMs": {"type": "integer", "minimum": 0, "maximum": 600000, "default": 1000,
                     "description": "INGRESS: how long a replaced file has to be silent before the new one is read"}
  },
  "required": ["path"],
  "additionalProperties": false
})json";

constexpr uint64_t kMessageBytesMax = 64u << 20;
// With its envelope it fits into what a NATS server takes by default, 1 MiB.
constexpr uint64_t kLineBytesDefault = 1000000;

class FileConnector : public plugin::Connector {
 public:
  FileConnector(const plugin::Host& host, const std::string& static_json, const std::string& config_json)
      : Connector(host, static_json, config_json) {
    plugin::Params params(static_json, "static parameters");
    root_ = FileRoot(params.string_or("root", ""));
    pattern_ = params.string_or("discover", "");
    params.refuse_unknown_keys();
  }

  void discover(const plugin::DiscoverSink& sink, std::chrono::milliseconds timeout) override {
    if (pattern_.empty()) return;
    for (const std::string& path : discover_files(pattern_, root_, timeout)) {
      sink.found(discovered_stream(path, {{"path", path}}));
    }
  }

  std::unique_ptr<plugin::Consumer> create_consumer(const plugin::Stream& stream,
                                                    const std::string& position) override {
    plugin::Params params(stream.metadata_json, "stream " + stream.id + ", metadata");
    FollowSettings settings;
    settings.root = root_;
    settings.path = params.required_string("path");
    settings.lines = params.choice_or("mode", {"lines", "chunks"}, "lines") == "lines";
    settings.from_end = params.choice_or("from", {"start", "end"}, "start") == "end";
    settings.chunk_bytes = params.integer_or("chunkBytes", 65536, 1, kMessageBytesMax);
    settings.line_bytes_max = params.integer_or("lineBytesMax", kLineBytesDefault, 1, kMessageBytesMax);
    settings.rotate_wait = std::chrono::milliseconds(params.integer_or("rotateWaitMs", 1000, 0, 600000));
    params.refuse_unknown_keys();
    return std::make_unique<FileConsumer>(host(), stream, std::move(settings), position);
  }

  std::unique_ptr<plugin::Producer> create_producer(const plugin::Stream& stream) override {
    plugin::Params params(stream.metadata_json, "stream " + stream.id + ", metadata");
    const std::string path = params.required_string("path");
    const bool lines = params.choice_or("mode", {"lines", "chunks"}, "lines") == "lines";
    params.refuse_unknown_keys();
    return std::make_unique<FileProducer>(root_, path, lines);
  }

 private:
  FileRoot root_;
  std::string pattern_;  // empty: nothing is discovered
};

constexpr auto kDescriptor =
    plugin::Descriptor("file", "0.1.0", "Follows a file by lines or chunks, and appends to one.",
                       KPS_DIRECTIONS_INGRESS | KPS_DIRECTIONS_EGRESS)
        .flags(KPS_FLAG_OVERLAP_SAFE)
        .static_schema(kStaticSchema)
        .stream_schema(kStreamSchema);

}  // namespace
}  // namespace kps::plugins

KPS_PLUGIN(kps::plugins::FileConnector, kps::plugins::kDescriptor);
