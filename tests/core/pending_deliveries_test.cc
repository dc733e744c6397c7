#include "host/core/pending_deliveries.h"

#include <gtest/gtest.h>

#include "host/core/envelope.h"

namespace kps {
namespace {

std::string Envelope(const std::vector<std::string>& payloads) {
  std::string envelope;
  for (const std::string& payload : payloads) AppendPayload(payload, &envelope);
  return envelope;
}

std::string Rest(const PendingDeliveries& pending) {
  std::string text;
  for (const MessageView& message : pending.rest()) text += std::string(message.payload) + ' ';
  return text;
}

constexpr char kBroken[] = "\x0C";

TEST(PendingDeliveries, AreOneSequenceOfMessages) {
  const std::string first = Envelope({"a", "b"});
  const std::string second = Envelope({"c"});
  PendingDeliveries pending;
  EXPECT_TRUE(pending.empty());
  pending.Add({first, 7});
  pending.Add({second, 8});
  EXPECT_EQ(Rest(pending), "a b c ");
  EXPECT_EQ(pending.bytes(), first.size() + second.size());
  EXPECT_EQ(pending.handled_receipt(), 0u);
  pending.Take(1);
  EXPECT_EQ(pending.handled_receipt(), 0u) << "b of it is left";
  EXPECT_EQ(pending.CopyRest().size(), 2u);
  pending.Take(1);
  EXPECT_EQ(pending.handled_receipt(), 7u);
  EXPECT_EQ(Rest(pending), "c ");
  ASSERT_EQ(pending.CopyRest().size(), 1u);
  EXPECT_EQ(pending.CopyRest()[0].envelope, second);
  EXPECT_EQ(pending.CopyRest()[0].receipt, 8u);
  pending.Take(1);
  EXPECT_EQ(pending.handled_receipt(), 8u);
  EXPECT_EQ(pending.left(), 0u);
  pending.Clear();
  EXPECT_TRUE(pending.empty());
  EXPECT_EQ(pending.handled_receipt(), 0u);
}

TEST(PendingDeliveries, AMalformedOneIsAMessageThatStandsAlone) {
  const std::string good = Envelope({"a"});
  PendingDeliveries pending;
  pending.Add({good, 1});
  pending.Add({kBroken, 2});
  pending.Add({good, 3});
  EXPECT_TRUE(pending.malformed().ok());
  EXPECT_EQ(Rest(pending), "a ");
  pending.Take(1);
  EXPECT_EQ(pending.malformed().code(), Code::kInvalidArgument);
  EXPECT_EQ(pending.envelope(), kBroken);
  EXPECT_EQ(Rest(pending), "");
  EXPECT_EQ(pending.left(), 2u);
  pending.Take(1);
  EXPECT_EQ(pending.handled_receipt(), 2u);
  EXPECT_TRUE(pending.malformed().ok());
  EXPECT_EQ(Rest(pending), "a ");
}

TEST(PendingDeliveries, OneWithoutMessagesIsDealtWithWhenItsTurnHasCome) {
  const std::string good = Envelope({"a"});
  PendingDeliveries pending;
  pending.Add({"", 1});
  EXPECT_TRUE(pending.empty());
  EXPECT_EQ(pending.handled_receipt(), 1u);
  pending.Add({good, 2});
  pending.Add({"", 3});
  EXPECT_EQ(pending.handled_receipt(), 1u);
  pending.Take(1);
  EXPECT_EQ(pending.handled_receipt(), 3u);
  EXPECT_TRUE(pending.malformed().ok());
}

}  // namespace
}  // namespace kps
