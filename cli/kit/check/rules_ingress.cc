// batch, read-timeout, read-wake, release, position, foreign-position, ack: what a consumer owes.
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cli/kit/check/subject.h"
#include "cli/render.h"
#include "host/core/schema.h"
#include "host/plugin/text.h"

namespace kps::cli {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kReading{5000};  // how long messages are waited for
constexpr milliseconds kReadAtOnce{100};
constexpr std::size_t kMessagesWanted = 8;
constexpr int kAttempts = 3;  // of what a busy machine may spoil
constexpr milliseconds kTransientWait{50};
constexpr char kNothingCame[] = "no message came within 5 s";

std::string Quoted(std::string_view bytes) {
  return "\"" + Printable(Shortened(CopyText({bytes.data(), bytes.size()}), 60)) + "\"";
}

// What a consumer has given so far.
struct Reading {
  struct After {
    std::size_t count;  // of messages before it
    std::string position;
  };
  struct Message {
    std::string payload;
    std::string id;

    // The same message again may have another time in its payload, but not another id.
    bool IsAgain(const Message& before) const {
      return id.empty() || before.id.empty() ? payload == before.payload : id == before.id;
    }
    std::string Name() const { return id.empty() ? Quoted(payload) : "the message with the id " + Quoted(id); }
  };
  std::vector<Message> messages;
  std::vector<After> positions;  // those that are not empty
  std::vector<uint64_t> tokens;
};

// Reads at least `count` messages, a few at a time, if they come in time. What else next_msg answers ends it.
Reading Read(TestedConsumer* consumer, std::size_t count, Findings* findings) {
  constexpr kps_limits kFew{sizeof(kps_limits), 3, 1024 * 1024};
  Reading reading;
  for (const auto deadline = Clock::now() + kReading; reading.messages.size() < count && Clock::now() < deadline;) {
    const CallResult result = consumer->Next(kReadAtOnce, kFew);
    if (!result.ok()) {
      if (!result.transient()) {
        findings->Note("next_msg answered " + result.ToString());
        break;
      }
      std::this_thread::sleep_for(kTransientWait);  // it is to be asked again, and not at once
      continue;
    }
    const std::size_t came = consumer->batch().message_count;
    if (came == 0) continue;
    for (std::size_t i = 0; i < came; ++i) {
      reading.messages.push_back({std::string(consumer->payload(i)), std::string(consumer->id(i))});
    }
    if (!consumer->position().empty()) {
      reading.positions.push_back({reading.messages.size(), std::string(consumer->position())});
    }
    reading.tokens.push_back(consumer->batch().token);
  }
  return reading;
}

// Reads until nothing comes at once. False: it was told why that does not happen.
bool ReadUntilIdle(TestedConsumer* consumer, Findings* findings) {
  CallResult result;
  for (const auto deadline = Clock::now() + kReading; Clock::now() < deadline;) {
    result = consumer->Next(milliseconds(0));
    if (!result.ok()) std::this_thread::sleep_for(kTransientWait);
    if (result.ok() && consumer->batch().message_count == 0) return true;
  }
  findings->Skip(result.ok() ? "messages never ceased to come, so next_msg never had to wait"
                             : "next_msg answers " + result.ToString());
  return false;
}

void JudgeBatch(TestedConsumer& consumer, const kps_limits& limits, std::set<std::string>* ids, Findings* findings) {
  const kps_batch& batch = consumer.batch();
  if (batch.message_count > limits.messages_max) {
    findings->Fail(std::to_string(batch.message_count) + " messages came, of at most " +
                   std::to_string(limits.messages_max));
  }
  uint64_t bytes = 0;
  for (std::size_t i = 0; i < batch.message_count; ++i) {
    if (consumer.payload(i).data() == nullptr && !consumer.payload(i).empty()) {
      return findings->Fail("a message has a size and no bytes");
    }
    bytes += consumer.payload(i).size();
    const std::string_view id = consumer.id(i);
    if (id.empty()) continue;
    const auto printable = [](char c) { return c > ' ' && c < '\x7F'; };
    if (id.size() > KPS_MESSAGE_ID_SIZE_MAX || !std::all_of(id.begin(), id.end(), printable)) {
      findings->Fail("the id " + Quoted(id) + " is not printable ASCII of at most " +
                     std::to_string(KPS_MESSAGE_ID_SIZE_MAX) + " bytes");
    }
    if (!ids->emplace(id).second) findings->Fail("the id " + Quoted(id) + " names two messages");
  }
  if (batch.message_count > 1 && bytes > limits.bytes_max) {
    findings->Fail(std::to_string(bytes) + " bytes came, of at most " + std::to_string(limits.bytes_max));
  }
  if (batch.position.size > KPS_POSITION_SIZE_MAX) {
    findings->Fail("the position has " + std::to_string(batch.position.size) + " bytes; " +
                   std::to_string(KPS_POSITION_SIZE_MAX) + " are the most");
  }
  if (batch.position.size > 0 && batch.position.data == nullptr) {
    findings->Fail("the position has a size and no bytes");
  }
}

// A consumer at `after.position` gives what followed it before.
void JudgeResumed(TestedConnector* connector, const Reading& before, const Reading::After& after, Findings* findings) {
  TestedConsumer consumer(connector, {connector->subject()->parameters().ingress_json, after.position});
  const std::string where = "at the position after message " + std::to_string(after.count);
  if (consumer.created().transient()) {
    return findings->Skip("no consumer can be had " + where + ": " + consumer.created().ToString());
  }
  if (!consumer.created().ok()) {
    return findings->Fail("a consumer cannot be created " + where + ": " + consumer.created().ToString());
  }
  const std::size_t wanted = before.messages.size() - after.count;
  const Reading again = Read(&consumer, wanted, findings);
  for (std::size_t i = 0; i < std::min(wanted, again.messages.size()); ++i) {
    const Reading::Message& expected = before.messages[after.count + i];
    if (again.messages[i].IsAgain(expected)) continue;
    return findings->Fail(where + ", " + again.messages[i].Name() + " came instead of " + expected.Name());
  }
  if (again.messages.size() < wanted) {
    findings->Fail(where + ", only " + std::to_string(again.messages.size()) + " of the " + std::to_string(wanted) +
                   " messages after it came again within 5 s");
  }
}

// What the consumer says to its position, at once or with its first answers.
CallResult Answer(TestedConnector* connector, const std::string& position) {
  TestedConsumer consumer(connector, {connector->subject()->parameters().ingress_json, position});
  CallResult result = consumer.created();
  for (int i = 0; consumer.created().ok() && result.ok() && i < 10; ++i) {
    result = consumer.Next(kReadAtOnce);
    if (consumer.batch().message_count > 0) break;
  }
  return result;
}

}  // namespace

void ExamineBatch(Subject& subject) {
  constexpr int kBatches = 10;
  bool examined = false;
  TestedConnector connector(&subject);
  for (const kps_limits limits : {kps_limits{sizeof(kps_limits), 1, 1024 * 1024}, TestedConsumer::kLimits,
                                  kps_limits{sizeof(kps_limits), 1000, 1}, kps_limits{sizeof(kps_limits), 2, 100}}) {
    TestedConsumer consumer(&connector);
    std::set<std::string> ids;
    std::optional<uint64_t> token;  // of the batch before
    const auto deadline = Clock::now() + kReading;
    for (int batches = 0, empty = 0; batches < kBatches && empty < kAttempts && Clock::now() < deadline;) {
      const CallResult result = consumer.Next(kReadAtOnce, limits);
      if (!result.ok()) std::this_thread::sleep_for(kTransientWait);
      if (!result.ok() || consumer.batch().message_count == 0) {
        empty += batches > 0 ? 1 : 0;
        continue;
      }
      examined = true;
      ++batches;
      JudgeBatch(consumer, limits, &ids, &subject.findings());
      if (token && consumer.batch().token <= *token) {
        subject.findings().Fail("the token " + std::to_string(consumer.batch().token) + " follows " +
                                std::to_string(*token) + ": tokens increase");
      }
      token = consumer.batch().token;
    }
  }
  if (!examined) subject.findings().Skip(kNothingCame);
}

void ExamineReadTimeout(Subject& subject) {
  TestedConnector connector(&subject);
  TestedConsumer consumer(&connector);
  for (const milliseconds timeout : {milliseconds(0), milliseconds(20), milliseconds(200)}) {
    milliseconds best = milliseconds::max();
    milliseconds longest_wait{0};
    for (int attempt = 0, waits = 0; attempt < 10 * kAttempts && waits < kAttempts; ++attempt) {
      if (!ReadUntilIdle(&consumer, &subject.findings())) return;
      const CallResult result = consumer.Next(timeout);
      if (!result.ok() || consumer.batch().message_count > 0) continue;
      ++waits;
      best = std::min(best, result.took);
      longest_wait = std::max(longest_wait, result.took);
    }
    if (best == milliseconds::max()) continue;  // something came each time
    if (best > timeout + Subject::kGrace) {
      subject.findings().Fail("it took " + std::to_string(best.count()) + " ms with a timeout of " +
                              std::to_string(timeout.count()));
    }
    if (longest_wait < timeout / 2) {
      subject.findings().Fail("it came back without a message after " + std::to_string(longest_wait.count()) +
                              " ms of " + std::to_string(timeout.count()) + ": a host would ask again and again");
    }
  }
}

void ExamineReadWake(Subject& subject) {
  constexpr milliseconds kBefore{100};
  TestedConnector connector(&subject);
  milliseconds best = milliseconds::max();
  for (int attempt = 0, slow = 0; attempt < 5 * kAttempts && slow < kAttempts; ++attempt) {
    TestedConsumer consumer(&connector);  // anew: what is woken stays so
    if (!ReadUntilIdle(&consumer, &subject.findings())) return;
    // The thread has to be in next_msg when it is woken; nothing tells when it is.
    CallResult result;
    {
      const std::jthread waker([&] {
        std::this_thread::sleep_for(kBefore);
        consumer.Wake();
      });
      result = consumer.Next(milliseconds(1000));
    }
    if (result.took > kBefore + Subject::kGrace) ++slow;
    const bool came = !result.ok() || consumer.batch().message_count > 0;
    if (came && result.took <= kBefore + Subject::kGrace) continue;
    best = std::min(best, result.took);
    if (best <= kBefore + Subject::kGrace) return;
  }
  if (best == milliseconds::max()) {
    return subject.findings().Skip("a message came each time before next_msg was woken");
  }
  if (best > kBefore + Subject::kGrace) {
    subject.findings().Fail("it came back " + std::to_string((best - kBefore).count()) + " ms after it was woken");
  }
}

void ExamineRelease(Subject& subject) {
  TestedConnector connector(&subject);
  TestedConsumer consumer(&connector);
  std::vector<std::string> copies;
  for (const auto deadline = Clock::now() + kReading; copies.empty() && Clock::now() < deadline;) {
    (void)consumer.Next(kReadAtOnce);
    for (std::size_t i = 0; i < consumer.batch().message_count; ++i) copies.emplace_back(consumer.payload(i));
  }
  if (copies.empty()) return subject.findings().Skip(kNothingCame);
  const auto expect_unchanged = [&](const kps_batch& batch, const char* when) {
    const char* at = reinterpret_cast<const char*>(batch.messages);
    for (std::size_t i = 0; i < copies.size(); ++i, at += batch.message_stride) {
      if (TestedConsumer::Bytes(reinterpret_cast<const kps_message*>(at)->payload) == copies[i]) continue;
      return subject.findings().Fail(std::string("a message of a batch is another ") + when);
    }
  };
  std::this_thread::sleep_for(kReadAtOnce);  // the plugin's own threads have had the time to write over it
  expect_unchanged(consumer.batch(), "a moment later");
  if (consumer.batch().release == nullptr) {
    return subject.findings().Note("its batches have no release: they stay until the next next_msg");
  }
  const kps_batch batch = consumer.TakeBatch();
  (void)consumer.Next(kReadAtOnce);
  expect_unchanged(batch, "after the next next_msg, although it was not released");
  std::thread([&] {
    try {
      subject.CallVoid("release", [&] { batch.release(batch.release_context); });
    } catch (const ExaminationEnded&) {
    }
  }).join();
}

void ExaminePosition(Subject& subject) {
  Findings& findings = subject.findings();
  TestedConnector connector(&subject);
  Reading before;
  {
    TestedConsumer consumer(&connector);
    before = Read(&consumer, kMessagesWanted, &findings);
  }
  const auto& positions = before.positions;
  if (before.messages.empty()) return findings.Skip(kNothingCame);
  if (positions.empty()) return findings.Skip("its batches have no position: it starts anew each time");
  if (positions.front().count == before.messages.size()) {
    return findings.Skip("only " + std::to_string(before.messages.size()) +
                         " messages came, and one position with them");
  }
  for (const std::size_t i : std::set<std::size_t>{0, positions.size() / 2, positions.size() - 1}) {
    JudgeResumed(&connector, before, positions[i], &findings);
  }
  findings.Note(std::to_string(before.messages.size()) + " messages, " + std::to_string(positions.size()) +
                " positions");
}

void ExamineForeignPosition(Subject& subject) {
  Findings& findings = subject.findings();
  TestedConnector connector(&subject);
  std::string position;
  {
    TestedConsumer consumer(&connector);
    const Reading reading = Read(&consumer, 1, &findings);
    if (reading.messages.empty()) return findings.Skip(kNothingCame);
    if (reading.positions.empty()) return findings.Skip("its batches have no position: it never has to understand one");
    position = reading.positions.front().position;
  }
  const std::string foreign[] = {std::string("\xFF\x00\xFE?", 4), position + "\xFF is not of it",
                                 std::string(KPS_POSITION_SIZE_MAX, 'x')};
  for (const std::string& each : foreign) {
    const CallResult answer = Answer(&connector, each);
    if (answer.transient()) return findings.Skip("no consumer can be had: " + answer.ToString());
    if (answer.code != KPS_DATA_LOSS) {
      findings.Fail("the answer to the position " + Quoted(each) + " was " + answer.ToString());
    }
  }
}

void ExamineAck(Subject& subject) {
  if (subject.table().ack == nullptr) return subject.findings().Skip("there is no ack: it is optional");
  TestedConnector connector(&subject);
  TestedConsumer consumer(&connector);
  const std::vector<uint64_t> tokens = Read(&consumer, kMessagesWanted, &subject.findings()).tokens;
  if (tokens.empty()) return subject.findings().Skip(kNothingCame);
  // The first, then two at once, and at the end all that is left.
  for (const std::size_t i : std::set<std::size_t>{0, 2, tokens.size() - 1}) {
    if (i >= tokens.size()) continue;
    const CallResult result = consumer.Ack(tokens[i]);
    if (result.ok()) continue;
    const std::string what = "ack of the batch " + std::to_string(i + 1) + " answered " + result.ToString();
    if (result.transient()) return subject.findings().Skip(what);
    return subject.findings().Fail(what);
  }
}

}  // namespace kps::cli
