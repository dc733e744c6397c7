#include "host/core/envelope.h"

#include <optional>

namespace kps {
namespace {

constexpr unsigned kVarint = 0;
constexpr unsigned kFixed64 = 1;
constexpr unsigned kLengthDelimited = 2;
constexpr unsigned kStartGroup = 3;
constexpr unsigned kEndGroup = 4;
constexpr unsigned kFixed32 = 5;
constexpr std::uint64_t kTimestampField = 1;
constexpr std::uint64_t kPayloadField = 3;
constexpr int kGroupDepthMax = 64;

void AppendVarint(std::uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool AtEnd() const { return offset_ == bytes_.size(); }
  std::size_t offset() const { return offset_; }

  std::optional<std::uint64_t> Varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && offset_ < bytes_.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_[offset_++]);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  std::optional<std::string_view> Bytes(std::uint64_t size) {
    if (size > bytes_.size() - offset_) return std::nullopt;
    const std::string_view taken = bytes_.substr(offset_, size);
    offset_ += size;
    return taken;
  }

  std::optional<std::string_view> LengthDelimited() {
    const auto size = Varint();
    return size ? Bytes(*size) : std::nullopt;
  }

  bool Skip(std::uint64_t tag, int depth = 0) {
    switch (tag & 7) {
      case kVarint: return Varint().has_value();
      case kFixed64: return Bytes(8).has_value();
      case kLengthDelimited: return LengthDelimited().has_value();
      case kFixed32: return Bytes(4).has_value();
      case kStartGroup: return SkipGroup(tag >> 3, depth + 1);
      default: return false;
    }
  }

 private:
  bool SkipGroup(std::uint64_t field, int depth) {
    if (depth > kGroupDepthMax) return false;
    while (true) {
      const auto tag = Varint();
      if (!tag) return false;
      if ((*tag & 7) == kEndGroup) return *tag >> 3 == field;
      if (!Skip(*tag, depth)) return false;
    }
  }

  std::string_view bytes_;
  std::size_t offset_ = 0;
};

Error Malformed(std::size_t offset, std::size_t size) {
  return Error(Code::kInvalidArgument, "not a connector.v1.TransportMessage: broken at byte " + std::to_string(offset) +
                                           " of " + std::to_string(size));
}

}  // namespace

void AppendEnvelope(const MessageView& message, std::string* out) {
  if (message.timestamp_ns != 0) {
    AppendVarint(kTimestampField << 3 | kVarint, out);
    AppendVarint(static_cast<std::uint64_t>(message.timestamp_ns), out);
  }
  AppendPayload(message.payload, out);
}

void AppendPayload(std::string_view payload, std::string* out) {
  AppendVarint(kPayloadField << 3 | kLengthDelimited, out);
  AppendVarint(payload.size(), out);
  out->append(payload);
}

Error DecodeEnvelope(std::string_view envelope, std::vector<MessageView>* messages) {
  messages->clear();
  return AppendDecoded(envelope, messages);
}

Error AppendDecoded(std::string_view envelope, std::vector<MessageView>* messages) {
  const std::size_t before = messages->size();
  const auto malformed = [&](std::size_t offset) {
    messages->resize(before);
    return Malformed(offset, envelope.size());
  };
  Reader reader(envelope);
  std::int64_t timestamp_ns = 0;
  while (!reader.AtEnd()) {
    const std::size_t start = reader.offset();
    const auto tag = reader.Varint();
    if (!tag || *tag >> 3 == 0 || *tag > UINT32_MAX) return malformed(start);
    if (*tag == (kTimestampField << 3 | kVarint)) {
      const auto value = reader.Varint();
      if (!value) return malformed(start);
      timestamp_ns = static_cast<std::int64_t>(*value);
    } else if (*tag == (kPayloadField << 3 | kLengthDelimited)) {
      const auto payload = reader.LengthDelimited();
      if (!payload) return malformed(start);
      messages->push_back({*payload, 0});
    } else if (!reader.Skip(*tag)) {
      return malformed(start);
    }
  }
  for (std::size_t i = before; i < messages->size(); ++i) (*messages)[i].timestamp_ns = timestamp_ns;
  return {};
}

}  // namespace kps
