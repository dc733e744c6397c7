#include "host/core/window.h"

#include <gtest/gtest.h>

#include "host/core/envelope.h"

namespace kps {
namespace {

// Records payloads, those of one envelope as "a|b"; refuses the payload named in `refused`, and envelopes with more
// than `messages_max`, with `code`.
class RecordingPublisher : public Publisher {
 public:
  Result<std::uint64_t> Publish(const Outgoing& outgoing) override {
    std::vector<MessageView> messages;
    if (!DecodeEnvelope(outgoing.envelope, &messages).ok() || messages.empty())
      return Error(Code::kInternal, "no envelope");
    if (messages[0].payload == refused || messages.size() > messages_max) return Error(code, "refused");
    std::string payloads(messages[0].payload);
    for (std::size_t i = 1; i < messages.size(); ++i) payloads.append("|").append(messages[i].payload);
    sent.push_back(payloads);
    stamps.push_back(messages[0].timestamp_ns);
    ids.emplace_back(outgoing.message_id);
    return ++ticket;
  }
  std::uint64_t Confirmed() const override { return 0; }
  Error AwaitConfirmed(std::uint64_t, std::chrono::milliseconds) override { return {}; }

  std::string refused = "-";
  std::size_t messages_max = 1000;
  Code code = Code::kInvalidArgument;
  std::uint64_t ticket = 0;
  std::vector<std::string> sent;
  std::vector<std::int64_t> stamps;
  std::vector<std::string> ids;
};

using Sent = std::vector<std::string>;

void Push(Window* window, std::vector<MessageView> messages, std::string_view position, std::uint64_t token) {
  window->Push({messages, position, token}, 99);
}

TEST(Window, PublishesInOrderAndPopsWhatIsConfirmed) {
  Window window({4, 1000}, "run", "own");
  RecordingPublisher publisher;
  Push(&window, {{"a", 5}, {"b", 0}}, "p1", 1);
  Push(&window, {{"c", 0}}, "p2", 2);
  ASSERT_TRUE(window.PublishTo(&publisher).ok());
  EXPECT_EQ(publisher.sent, (Sent{"a", "b", "c"}));
  EXPECT_EQ(publisher.stamps, (std::vector<std::int64_t>{5, 99, 99}));
  EXPECT_EQ(window.OldestTicket(), 2u);
  EXPECT_EQ(window.NewestTicket(), 3u);
  Window::Confirmed confirmed{};
  EXPECT_FALSE(window.PopConfirmed(1, &confirmed));
  ASSERT_TRUE(window.PopConfirmed(2, &confirmed));
  EXPECT_EQ(confirmed.token, 1u);
  EXPECT_EQ(confirmed.position, "p1");
  EXPECT_EQ(confirmed.message_count, 2u);
  EXPECT_FALSE(window.PopConfirmed(2, &confirmed));
  ASSERT_TRUE(window.PopConfirmed(3, &confirmed));
  EXPECT_TRUE(window.empty());
}

TEST(Window, ARefusedEnvelopeIsNextAgainOrSkipped) {
  Window window({4, 1000}, "run", "own");
  RecordingPublisher publisher;
  publisher.refused = "b";
  Push(&window, {{"a", 1}, {"b", 1}, {"c", 1}}, "p", 7);
  EXPECT_FALSE(window.PublishTo(&publisher).ok());
  EXPECT_FALSE(window.PublishTo(&publisher).ok());
  EXPECT_EQ(publisher.sent, (Sent{"a"}));
  Window::Confirmed confirmed{};
  EXPECT_FALSE(window.PopConfirmed(100, &confirmed)) << "half a batch is not confirmed";
  EXPECT_GT(window.SkipRefused(), 0u);
  ASSERT_TRUE(window.PublishTo(&publisher).ok());
  EXPECT_EQ(publisher.sent, (Sent{"a", "c"}));
  EXPECT_TRUE(window.PopConfirmed(2, &confirmed));
}

TEST(Window, ABatchOfWhichNothingIsLeftIsConfirmed) {
  Window window({4, 1000}, "run", "own");
  RecordingPublisher publisher;
  publisher.refused = "x";
  Push(&window, {{"x", 1}}, "p", 7);
  EXPECT_FALSE(window.PublishTo(&publisher).ok());
  window.SkipRefused();
  ASSERT_TRUE(window.PublishTo(&publisher).ok());
  Window::Confirmed confirmed{};
  ASSERT_TRUE(window.PopConfirmed(0, &confirmed));
  EXPECT_EQ(confirmed.token, 7u);
}

TEST(Window, ABatchOfWhichNothingIsLeftWaitsForTheOneBeforeIt) {
  Window window({4, 1000}, "run", "own");
  RecordingPublisher publisher;
  publisher.refused = "x";
  Push(&window, {{"a", 1}}, "p1", 1);
  Push(&window, {{"x", 1}}, "p2", 2);
  EXPECT_FALSE(window.PublishTo(&publisher).ok());
  window.SkipRefused();
  ASSERT_TRUE(window.PublishTo(&publisher).ok());
  EXPECT_EQ(window.NewestTicket(), 1u) << "who waits for 0 does not wait, and hears of no loss";
  window.Rewind();
  ASSERT_TRUE(window.PublishTo(&publisher).ok());
  EXPECT_EQ(window.NewestTicket(), 2u);
}

TEST(Window, RewindPublishesEverythingUnconfirmedAgain) {
  Window window({4, 1000}, "run", "own");
  RecordingPublisher publisher;
  for (const char* text : {"a", "b", "c"}) Push(&window, {{text, 1}}, text, 1);
  ASSERT_TRUE(window.PublishTo(&publisher).ok());
  Window::Confirmed confirmed{};
  ASSERT_TRUE(window.PopConfirmed(1, &confirmed));
  window.Rewind();
  EXPECT_FALSE(window.PopConfirmed(100, &confirmed));
  ASSERT_TRUE(window.PublishTo(&publisher).ok());
  EXPECT_EQ(publisher.sent, (Sent{"a", "b", "c", "b", "c"}));
}

TEST(Window, IsFullBySlotsAndByBytesAndReusesItsRing) {
  Window window({2, 1000}, "run", "own");
  RecordingPublisher publisher;
  for (int i = 0; i < 10; ++i) {
    const std::string text = std::to_string(i);
    Push(&window, {{text, 1}}, text, 1);
    EXPECT_FALSE(window.full());
    Push(&window, {{text, 1}}, text, 1);
    EXPECT_TRUE(window.full());
    ASSERT_TRUE(window.PublishTo(&publisher).ok());
    Window::Confirmed confirmed{};
    while (window.PopConfirmed(publisher.ticket, &confirmed)) EXPECT_EQ(confirmed.position, text);
  }
  Window small({8, 10}, "run", "own");
  Push(&small, {{"longer than ten bytes", 1}}, "", 1);
  EXPECT_TRUE(small.full());
}

TEST(Window, AMessageKeepsItsIdHoweverOftenItIsPublished) {
  Window window({4, 1000}, "run", "own");
  RecordingPublisher publisher;
  Push(&window, {{"a", 1, "7/1"}, {"b", 1}, {"never", 1, "7/2"}, {"c", 1}, {"d", 1, "7/3"}}, "p", 1);
  publisher.refused = "never";
  ASSERT_FALSE(window.PublishTo(&publisher).ok());
  EXPECT_GT(window.SkipRefused(), 5u);
  ASSERT_TRUE(window.PublishTo(&publisher).ok());
  const std::vector<std::string> ids{"run.7/1", "own.1", "own.2", "run.7/3"};
  EXPECT_EQ(publisher.ids, ids);
  publisher.ids.clear();
  window.Rewind();
  ASSERT_TRUE(window.PublishTo(&publisher).ok());
  EXPECT_EQ(publisher.ids, ids);
  Push(&window, {{"e", 1}}, "p", 1);
  ASSERT_TRUE(window.PublishTo(&publisher).ok());
  EXPECT_EQ(publisher.ids.back(), "own.3");
}

TEST(Window, SeveralMessagesShareAnEnvelopeWhereTheyMay) {
  Window window({4, 1000, 3}, "run", "own");
  RecordingPublisher publisher;
  Push(&window, {{"a", 0}, {"b", 0}, {"c", 0}, {"d", 0}, {"e", 7}, {"f", 7}, {"g", 0}}, "p1", 1);
  Push(&window, {{"h", 0}}, "p2", 2);
  ASSERT_TRUE(window.PublishTo(&publisher).ok());
  EXPECT_EQ(publisher.sent, (Sent{"a|b|c", "d", "e|f", "g", "h"})) << "no more than three, and of one time, and batch";
  EXPECT_EQ(publisher.stamps, (std::vector<std::int64_t>{99, 99, 7, 99, 99}));
  EXPECT_EQ(window.message_count(), 8u);
  Window::Confirmed confirmed{};
  ASSERT_TRUE(window.PopConfirmed(4, &confirmed));
  EXPECT_EQ(confirmed.message_count, 7u);
}

TEST(Window, AnEnvelopeOfSeveralIsNamedByTheFirstAndTheirNumber) {
  Window window({4, 1000, 3}, "run", "own");
  RecordingPublisher publisher;
  Push(&window, {{"a", 1, "7/1"}, {"b", 1, "7/2"}, {"c", 1, "7/3"}, {"d", 1, "7/4"}, {"e", 2}, {"f", 2}}, "p", 1);
  ASSERT_TRUE(window.PublishTo(&publisher).ok());
  EXPECT_EQ(publisher.ids, (std::vector<std::string>{"run*3.7/1", "run.7/4", "own*2.1"}));
  Push(&window, {{"g", 1, "8/1"}, {"h", 1}, {"i", 1, "8/2"}}, "p", 1);
  ASSERT_TRUE(window.PublishTo(&publisher).ok());
  EXPECT_EQ(publisher.sent, (Sent{"a|b|c", "d", "e|f", "g", "h", "i"})) << "one without an id may be another next time";
}

TEST(Window, AnEnvelopeHasAtMostSoManyBytesUnlessOfOneMessage) {
  Window window({4, 1000, 100}, "run", "own");
  RecordingPublisher publisher;
  const std::vector<MessageView> messages{{"0123456789", 1}, {"0123456789", 1}, {"0123456789", 1}};
  std::string two;
  AppendEnvelope(messages[0], &two);
  AppendPayload(messages[1].payload, &two);
  window.Push({messages, "p", 1}, 99, {}, two.size() + PayloadBytesMax("0123456789") - 1);
  window.Push({messages, "p", 1}, 99, {}, 5);
  ASSERT_TRUE(window.PublishTo(&publisher).ok());
  EXPECT_EQ(publisher.sent, (Sent{"0123456789|0123456789", "0123456789", "0123456789", "0123456789", "0123456789"}));
}

TEST(Window, AnEnvelopeOfSeveralThatIsRefusedIsSplit) {
  Window window({4, 1000, 3}, "run", "own");
  RecordingPublisher publisher;
  Push(&window, {{"a", 5}, {"b", 6}, {"c", 6}, {"d", 6}, {"e", 7}}, "p1", 1);
  Push(&window, {{"f", 5}}, "p2", 2);
  publisher.messages_max = 2;
  ASSERT_FALSE(window.PublishTo(&publisher).ok());
  EXPECT_TRUE(window.SplitRefused());
  publisher.refused = "c";
  ASSERT_FALSE(window.PublishTo(&publisher).ok());
  EXPECT_TRUE(window.SplitRefused());
  ASSERT_FALSE(window.PublishTo(&publisher).ok());
  EXPECT_FALSE(window.SplitRefused()) << "it is one message";
  window.SkipRefused();
  ASSERT_TRUE(window.PublishTo(&publisher).ok());
  EXPECT_EQ(publisher.sent, (Sent{"a", "b", "d", "e", "f"}));
  EXPECT_EQ(publisher.stamps, (std::vector<std::int64_t>{5, 6, 6, 7, 5}));
  EXPECT_EQ(publisher.ids, (std::vector<std::string>{"own.1", "own.5", "own.8", "own.3", "own.4"}));
  EXPECT_EQ(window.message_count(), 5u);
}

}  // namespace
}  // namespace kps
