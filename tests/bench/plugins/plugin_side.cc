#include "tests/bench/plugins/plugin_side.h"

#include <algorithm>
#include <stdexcept>

#include "tests/plugins/harness.h"

namespace kps::bench {
namespace {

constexpr uint32_t kTimeoutMs = 1000;
constexpr size_t kMessagesAtOnce = 256;  // host/core/egress.cc
constexpr uint64_t kBytesAtOnce = 1 << 20;

// Errors that pass are those of a server that is about to be there.
void RequireTransient(kps_code code, const kps_error& error) {
  if (code == KPS_OK || code == KPS_UNAVAILABLE || code == KPS_DEADLINE_EXCEEDED) return;
  throw testing::Error(error);
}

}  // namespace

void ReceiveByPlugin(const Service& service, const Size& size, Stopwatch* stopwatch) {
  testing::Plugin plugin(service.plugin());
  stopwatch->Begin();
  testing::Consumer consumer(plugin, service.IngressMetadata());
  const kps_limits limits{sizeof limits, kMessagesAtOnce, kBytesAtOnce};
  for (size_t received = 0; received < size.messages;) {
    kps_batch batch{};
    batch.struct_size = sizeof batch;
    kps_error error = testing::Plugin::fresh();
    RequireTransient(plugin.table->next_msg(consumer.get(), &limits, kTimeoutMs, &batch, &error), error);
    if (batch.message_count == 0) continue;
    received += batch.message_count;
    if (batch.release != nullptr) batch.release(batch.release_context);
    if (plugin.table->ack == nullptr) continue;
    if (plugin.table->ack(consumer.get(), batch.token, &error) != KPS_OK) throw testing::Error(error);
  }
  stopwatch->End();
}

void SendByPlugin(const Service& service, const Size& size, Stopwatch* stopwatch) {
  testing::Plugin plugin(service.plugin());
  testing::Producer producer(plugin, service.EgressMetadata());
  const std::string payload(size.bytes, 'x');
  const std::vector<kps_message> messages(kMessagesAtOnce, {{payload.data(), payload.size()}, 0, {nullptr, 0}});
  const auto send = [&](size_t count) {
    for (size_t sent = 0; sent < count;) {
      size_t taken = 0;
      kps_error error = testing::Plugin::fresh();
      RequireTransient(plugin.table->produce(producer.get(), messages.data(), std::min(count - sent, kMessagesAtOnce),
                                             sizeof(kps_message), kTimeoutMs, &taken, &error),
                       error);
      sent += taken;
    }
    for (;;) {
      kps_error error = testing::Plugin::fresh();
      const kps_code code = plugin.table->flush(producer.get(), kTimeoutMs, &error);
      if (code == KPS_OK) return;
      RequireTransient(code, error);
    }
  };
  send(1);  // it is connected
  stopwatch->Begin();
  send(size.messages);
  stopwatch->End();
}

}  // namespace kps::bench
