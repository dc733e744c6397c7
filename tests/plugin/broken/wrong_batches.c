/* Each batch is wrong in another way, in turn; the last call fails and claims a text that it does not give. */
#include "good_table.h"

static kps_message messages[2000];
static const char long_id[KPS_MESSAGE_ID_SIZE_MAX + 1] = "x";
static int call;

static kps_code next_msg(kps_consumer *consumer, const kps_limits *limits, uint32_t timeout_ms, kps_batch *batch,
                         kps_error *error) {
  (void)consumer, (void)limits, (void)timeout_ms;
  batch->messages = messages;
  batch->message_stride = sizeof messages[0];
  switch (call++) {
    case 0:
      batch->message_count = 2000;
      return KPS_OK;
    case 1:
      batch->message_count = 1;
      messages[0].payload.size = 10;
      return KPS_OK;
    case 2:
      batch->position.size = 10;
      return KPS_OK;
    case 3:
      batch->message_count = 1;
      messages[0].payload.size = 0;
      messages[0].id.size = 10;
      return KPS_OK;
    case 4:
      batch->message_count = 1;
      messages[0].id.data = "two words";
      messages[0].id.size = 9;
      return KPS_OK;
    case 5:
      batch->message_count = 1;
      messages[0].id.data = long_id;
      messages[0].id.size = sizeof long_id;
      return KPS_OK;
    default:
      error->text_size = 8;
      return KPS_UNAVAILABLE;
  }
}

const kps_plugin *kps_plugin_v1(uint32_t host_abi_version) {
  static kps_plugin table;
  (void)host_abi_version;
  table = good_table("wrong-batches");
  table.next_msg = next_msg;
  return &table;
}
