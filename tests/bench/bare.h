// libnats alone, with the least code around it: what the host is compared with, and the other side of the host's runs.
#pragma once

#include <memory>
#include <string>

#include "tests/bench/two_sides.h"

namespace kps::bench {

// Publishes one envelope again and again, serialized beforehand; only the sequence number in it changes. Core NATS
// drops what a receiver cannot take, so it waits while more than 16 MiB of payload are on their way.
std::unique_ptr<Side> MakeBareSender(const Load& load, Progress* progress);
// The same with the payload of the plugin `generator`, whose egress checks every byte.
std::unique_ptr<Side> MakeGeneratorSender(const Load& load, Progress* progress);

// One at a time, at the load's rate, each sent at once (natsOptions_SetSendAsap), with the time at which it was.
std::unique_ptr<Side> MakeBarePacedSender(const Load& load, Progress* progress);

// The same as the first over js_PublishAsync, with an id for each message, into a stream in files, which has confirmed
// everything at the end.
std::unique_ptr<Side> MakeBareJetStreamSender(const Load& load, Progress* progress);
// An empty stream in files for the channel.
void MakeStream(const std::string& url);

// Subscribers that look at the sequence number alone: lost, doubled and disordered messages are errors.
std::unique_ptr<Side> MakeBareSyncReceiver(const Load& load, Progress* progress);   // natsSubscription_NextMsg
std::unique_ptr<Side> MakeBareAsyncReceiver(const Load& load, Progress* progress);  // a callback of libnats's thread
// The latter, which also looks at the times at which the messages were sent.
std::unique_ptr<Side> MakeLatencyReceiver(const Load& load, Progress* progress);

}  // namespace kps::bench
