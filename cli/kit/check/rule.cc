#include "cli/kit/check/rule.h"

#include <algorithm>

namespace kps::cli {
namespace {

constexpr Rule kRules[] = {
    {"table", "the table says what the plugin is, in full", "fill every field that kps/plugin.h does not call optional",
     0, ExamineTable},
    {"schemas", "the schemas describe every parameter, and their defaults and examples are valid",
     "mend the schema; kps-connector plugin inspect shows it as the host reads it", 0, ExamineSchemas},
    {"create", "a connector, consumers and producers can be made of parameters that the schemas call valid",
     "accept what the schema accepts, or make the schema stricter; --static-param, --config and --stream give "
     "other parameters than those that were made up",
     0, ExamineCreate},
    {"bounds", "texts are read by their size, and a text without bytes may have no address",
     "never use a kps_str or kps_bytes as a C string: it does not end with a NUL", kNeedsConnector, ExamineBounds},
    {"repeat", "what is created and destroyed again leaves nothing behind",
     "free in destroy what create has made, join its threads and close its descriptors", kNeedsConnector,
     ExamineRepeat},
    {"side-by-side", "two connectors, and streams of both, run at the same time",
     "keep everything in the connector, the consumer or the producer: no variable that is not const outside of them",
     kNeedsConnector, ExamineSideBySide},
    {"process", "the process stays as it was",
     "leave signals, the current directory, the locale, the umask, the environment, stdin and stdout to the host",
     kNeedsConnector, ExamineProcess},
    {"hostile", "no parameters make it crash, hang or answer nonsense",
     "check what is read before it is used; return KPS_INVALID_ARGUMENT with a sentence", 0, ExamineHostile},
    {"configure", "a new config is applied or refused, and the connector goes on in both cases",
     "return an error for a config that cannot be used, and keep the one before", kNeedsConnector, ExamineConfigure},
    {"discover", "discover answers in time, with entries that can be read",
     "stop at timeout_ms; report JSON objects with an \"id\" that is unique", kNeedsConnector, ExamineDiscover},
    {"batch", "a batch keeps to the limits, and its messages, ids, position and token can be used",
     "ask batch.has_room before each add; see kps/message.h", kNeedsConsumer | kNeedsMessages, ExamineBatch},
    {"read-timeout", "next_msg returns within its timeout and 50 ms, and waits while nothing comes",
     "wait with poll on the source's descriptor and wake_fd, for at most timeout_ms", kNeedsConsumer,
     ExamineReadTimeout},
    {"read-wake", "a next_msg that waits returns within 50 ms of being woken",
     "poll stream.wake_fd as well, or offer wake_consumer", kNeedsConsumer, ExamineReadWake},
    {"release", "a batch stays as it is until it is released, by whatever thread",
     "keep what a batch points to until release is called; without release, until the next next_msg",
     kNeedsConsumer | kNeedsMessages, ExamineRelease},
    {"position", "a consumer that is created at a position goes on with the message after it",
     "make the position of what comes after the last message of the batch", kNeedsConsumer | kNeedsMessages,
     ExaminePosition},
    {"foreign-position", "a position that is not understood is KPS_DATA_LOSS",
     "never guess where to go on: return KPS_DATA_LOSS", kNeedsConsumer | kNeedsMessages, ExamineForeignPosition},
    {"ack", "tokens are acknowledged in their order, one or several at once",
     "take a token as \"everything up to it\": not each one is acknowledged by itself", kNeedsConsumer | kNeedsMessages,
     ExamineAck},
    {"produce", "produce takes leading messages and says how many, by the stride, of any size",
     "step by message_stride, not by sizeof; set *taken in any case; a message may be empty, or hold any byte",
     kNeedsProducer, ExamineProduce},
    {"produce-timeout", "produce returns within its timeout and 50 ms",
     "give up at timeout_ms: what is not taken is offered again", kNeedsProducer, ExamineProduceTimeout},
    {"flush", "flush makes good for what was taken, in time, and may be called again",
     "wait for the service's confirmation; KPS_DEADLINE_EXCEEDED when it does not come", kNeedsProducer, ExamineFlush},
    {"stop", "create, destroy and all that waits return soon once the stream is to stop",
     "look at wake_fd or should_stop in every loop that waits, also while connecting", kNeedsConnector, ExamineStop},
    {"unload", "the library can be unmapped, or its table says that it cannot",
     "build it with kps_add_plugin(), without thread_local objects that have destructors, or set KPS_FLAG_NO_UNLOAD", 0,
     ExamineUnload},
    {kRuleErrors, "every failure has a code of the contract and a sentence, and makes no object",
     "fill the kps_error: code and text; leave *out as it was", 0, nullptr},
    {kRuleExceptions, "no exception crosses the ABI", "catch everything in each function of the table", 0, nullptr},
    {kRuleHostCalls, "what it tells the host can be used",
     "see kps/host.h: ids are lowerCamelCase, names of counters [a-z][a-z0-9_]*, texts UTF-8, metadata a JSON object",
     0, nullptr},
};

}  // namespace

std::span<const Rule> AllRules() { return kRules; }

const Rule* FindRule(std::string_view id) {
  const auto found =
      std::find_if(std::begin(kRules), std::end(kRules), [&](const Rule& rule) { return rule.id == id; });
  return found == std::end(kRules) ? nullptr : found;
}

}  // namespace kps::cli
