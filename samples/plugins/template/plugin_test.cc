// Runs the plugin as a host does: through its table.
#include <cstdio>
#include <cstdlib>
#include <kps/plugin.hpp>
// begin EGRESS
#include <map>
// end EGRESS

namespace {

using namespace kps::plugin;

#define EXPECT(condition)                                                        \
  do {                                                                           \
    if (condition) break;                                                        \
    std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
    std::exit(1);                                                                \
  } while (false)

// A connector of the plugin, and the host that it talks to.
struct Session {
  Session() {
    host.struct_size = sizeof host;
    host.abi_version = KPS_ABI_VERSION;
    host.context = this;
    // begin EGRESS
    host.counter_add = [](void* self, kps_str, kps_str name, uint64_t increment) {
      static_cast<Session*>(self)->counters[to_string(name)] += increment;
    };
    // end EGRESS
    error.struct_size = sizeof error;
    EXPECT(plugin->create_connector(&host, to_str("{}"), to_str("{}"), &connector, &error) == KPS_OK);
  }
  ~Session() { plugin->destroy_connector(connector); }

  const kps_plugin* plugin = kps_plugin_v1(KPS_ABI_VERSION);
  kps_host host = kps_host();  // what stays NULL is not offered
  kps_connector* connector = nullptr;
  kps_error error = kps_error();
  // begin EGRESS
  std::map<std::string, uint64_t> counters;
  // end EGRESS
};

kps_stream stream_of(int32_t direction, const char* metadata_json) {
  return {sizeof(kps_stream), direction, to_str("s"), to_str("channel"), to_str(metadata_json), -1, 0};
}

// begin INGRESS
// The first message of a consumer that goes on at `position`, which becomes the one after it.
std::string first_message(Session& session, std::string& position) {
  const kps_stream stream = stream_of(KPS_DIRECTION_INGRESS, R"({"text": "hi"})");
  const kps_bytes resume = {position.data(), position.size()};
  kps_consumer* consumer = nullptr;
  EXPECT(session.plugin->create_consumer(session.connector, &stream, resume, &consumer, &session.error) == KPS_OK);
  const kps_limits limits = {sizeof limits, 100, 1 << 20};
  kps_batch batch = kps_batch();
  batch.struct_size = sizeof batch;
  EXPECT(session.plugin->next_msg(consumer, &limits, 1000, &batch, &session.error) == KPS_OK);
  EXPECT(batch.message_count == 1);
  position = to_string(batch.position);
  std::string text = to_string(batch.messages[0].payload);
  session.plugin->destroy_consumer(consumer);
  return text;
}

void a_stream_goes_on_where_it_was() {
  Session session;
  std::string position;
  EXPECT(first_message(session, position) == "hi 1");
  EXPECT(first_message(session, position) == "hi 2");
}

void an_unknown_key_is_refused() {
  Session session;
  const kps_stream stream = stream_of(KPS_DIRECTION_INGRESS, R"({"txt": "hi"})");
  kps_consumer* consumer = nullptr;
  EXPECT(session.plugin->create_consumer(session.connector, &stream, kps_bytes(), &consumer, &session.error) ==
         KPS_INVALID_ARGUMENT);
  EXPECT(consumer == nullptr);
}

// end INGRESS
// begin EGRESS
void messages_are_counted() {
  Session session;
  const kps_stream stream = stream_of(KPS_DIRECTION_EGRESS, "{}");
  kps_producer* producer = nullptr;
  EXPECT(session.plugin->create_producer(session.connector, &stream, &producer, &session.error) == KPS_OK);
  const kps_message messages[] = {{{"a", 1}, 0, {nullptr, 0}}, {{"bcd", 3}, 0, {nullptr, 0}}};
  size_t taken = 0;
  EXPECT(session.plugin->produce(producer, messages, 2, sizeof messages[0], 1000, &taken, &session.error) == KPS_OK);
  EXPECT(taken == 2);
  EXPECT(session.counters["received_total"] == 2);
  EXPECT(session.counters["received_bytes_total"] == 4);
  session.plugin->destroy_producer(producer);
}

// end EGRESS
}  // namespace

int main() {
  // begin INGRESS
  a_stream_goes_on_where_it_was();
  an_unknown_key_is_refused();
  // end INGRESS
  // begin EGRESS
  messages_are_counted();
  // end EGRESS
}
