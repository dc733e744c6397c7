// Envelopes, compared with what protobuf writes and reads.
#include "host/core/envelope.h"

#include <gtest/gtest.h>

#include <limits>

#include "connector/v1/connector.pb.h"

namespace kps {
namespace {

using connector::v1::TransportMessage;

TEST(Envelope, HasTheBytesOfProtobuf) {
  for (const std::int64_t timestamp :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{127}, std::int64_t{128}, std::int64_t{1790000000123456789},
        std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    for (const std::size_t size : {0, 1, 63, 127, 128, 255, 16383, 16384, 100000, 2097152}) {
      const std::string payload(size, '\xA5');
      TransportMessage expected;
      expected.set_timestamp(timestamp);
      expected.add_payload(payload);
      std::string written = "before";
      AppendEnvelope({payload, timestamp}, &written);
      ASSERT_TRUE(written == "before" + expected.SerializeAsString()) << timestamp << ", " << size << " bytes";
      std::vector<MessageView> read;
      const std::string_view envelope = std::string_view(written).substr(6);
      ASSERT_TRUE(DecodeEnvelope(envelope, &read).ok());
      ASSERT_EQ(read.size(), 1u);
      ASSERT_EQ(read[0].timestamp_ns, timestamp);
      ASSERT_TRUE(read[0].payload == payload);
    }
  }
}

TEST(Envelope, ReadsSeveralPayloadsInOrderWithOneTimestamp) {
  TransportMessage message;
  message.set_timestamp(42);
  for (const char* payload : {"a", "", "ccc"}) message.add_payload(payload);
  const std::string bytes = message.SerializeAsString();
  std::vector<MessageView> read{{"stale", 1}};
  ASSERT_TRUE(DecodeEnvelope(bytes, &read).ok());
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read[0].payload, "a");
  EXPECT_EQ(read[1].payload, "");
  EXPECT_EQ(read[2].payload, "ccc");
  for (const auto& one : read) EXPECT_EQ(one.timestamp_ns, 42);
}

TEST(Envelope, TakesTheTimestampAlsoAfterThePayload) {
  std::vector<MessageView> read;
  ASSERT_TRUE(DecodeEnvelope(std::string("\x1A\x01x\x08\x07", 5), &read).ok());
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].timestamp_ns, 7);
}

TEST(Envelope, AnEmptyEnvelopeHasNoMessages) {
  std::vector<MessageView> read{{"stale", 1}};
  EXPECT_TRUE(DecodeEnvelope("", &read).ok());
  EXPECT_TRUE(read.empty());
}

TEST(Envelope, SkipsUnknownFields) {
  const std::string skipped[] = {
      std::string("\x12\x03"
                  "abc",
                  5),                      // field 2, the older metaData
      std::string("\x22\x02\x08\x01", 4),  // field 4, the older sourceError
      std::string("\x28\x96\x01", 3),      // 5, varint
      std::string("\x31"
                  "12345678",
                  9),  // 6, fixed64
      std::string("\x3D"
                  "1234",
                  5),                              // 7, fixed32
      std::string("\x43\x08\x01\x4B\x4C\x44", 6),  // 8, group with a group
  };
  for (const std::string& field : skipped) {
    const std::string bytes = field + std::string("\x08\x05\x1A\x01x", 5) + field;
    std::vector<MessageView> read;
    const Error error = DecodeEnvelope(bytes, &read);
    ASSERT_TRUE(error.ok()) << error.ToString();
    ASSERT_EQ(read.size(), 1u);
    EXPECT_EQ(read[0].payload, "x");
    EXPECT_EQ(read[0].timestamp_ns, 5);
  }
}

TEST(Envelope, TruncatedAnywhereAgreesWithProtobuf) {
  TransportMessage message;
  message.set_timestamp(1790000000123456789);
  message.add_payload("first");
  message.add_payload(std::string(200, 'x'));
  const std::string whole = message.SerializeAsString() + std::string(
                                                              "\x12\x03"
                                                              "abc\x22\x02\x08\x01",
                                                              9);
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    // A heap copy of exactly that size, so that a sanitizer sees a read behind it.
    const std::vector<char> bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    std::vector<MessageView> read;
    const Error error = DecodeEnvelope({bytes.data(), bytes.size()}, &read);
    TransportMessage parsed;
    EXPECT_EQ(error.ok(), parsed.ParseFromArray(bytes.data(), static_cast<int>(size))) << size;
    EXPECT_EQ(error.code(), error.ok() ? Code::kOk : Code::kInvalidArgument);
  }
}

TEST(Envelope, RefusesWhatIsMalformed) {
  const std::string malformed[] = {
      std::string("\x00", 1),                                               // field 0
      std::string("\x1A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11),      // a length of 2^64-1
      std::string("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 12),  // an endless varint
      std::string("\x0C", 1),                                               // the end of no group
      std::string("\x43\x54", 2),                                           // the end of another group
      std::string("\x0E", 1),                                               // wire type 6
      std::string(1000, '\x43'),                                            // groups without end
  };
  for (const std::string& bytes : malformed) {
    std::vector<MessageView> read;
    const Error error = DecodeEnvelope(bytes, &read);
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_NE(error.message().find("byte"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace kps
