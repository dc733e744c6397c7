#include "host/grpc/parse_request.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/stubs/common.h>
#include <google/protobuf/wire_format_lite.h>

#include <map>
#include <string>

#include "host/core/schema.h"
#include "host/grpc/convert.h"
#include "host/grpc/json_complaint.h"

namespace kps {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// Messages in each other that are parsed; an object of the metadata takes three. Far more than what is valid, so that
// metadata nested too deep are named with all else that is wrong; far less than what exhausts the stack.
constexpr int kMessagesDepthMax = 400;

// Goes through bytes that protobuf has refused, as it does not say why.
class Inspection {
 public:
  explicit Inspection(CodedInputStream* in) : in_(in) {}

  const std::optional<Violation>& found() const { return found_; }

  // Reads a message up to the limit of the stream. false: the end, as something was found, or as this is no message.
  // `objects` are those of the metadata, and the lists, that it is in.
  bool Read(const Descriptor* type, const std::string& place, int objects) {
    const bool is_object = type == google::protobuf::Struct::descriptor();
    const bool is_list = type == google::protobuf::ListValue::descriptor();
    if ((is_object || is_list) && ++objects > kMetadataDepthMax) return Found(place, NestedTooDeep());
    std::map<const FieldDescriptor*, std::size_t> elements;
    std::string key;
    while (const std::uint32_t tag = in_->ReadTag()) {
      const FieldDescriptor* field = type->FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
      const bool is_text = field != nullptr && field->type() == FieldDescriptor::TYPE_STRING;
      const bool is_message = field != nullptr && field->type() == FieldDescriptor::TYPE_MESSAGE;
      if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED ||
          !(is_text || is_message)) {
        if (!WireFormatLite::SkipField(in_, tag)) return false;
        continue;
      }
      std::uint32_t size = 0;
      if (!in_->ReadVarint32(&size) || size > static_cast<std::uint32_t>(in_->BytesUntilLimit())) return false;
      const std::size_t element = elements[field]++;
      if (is_text) {
        std::string text;
        if (!in_->ReadString(&text, static_cast<int>(size))) return false;
        if (!google::protobuf::internal::IsStructurallyValidUTF8(text.data(), static_cast<int>(text.size()))) {
          if (type->options().map_entry() && field->number() == kKeyNumber) {
            return Found(place, "has a key that is no UTF-8");
          }
          return Found(PlaceOf(*field, place, key, element), "is no UTF-8: send other bytes encoded, as in base64");
        }
        if (field->number() == kKeyNumber) key = std::move(text);
      } else {
        const CodedInputStream::Limit outer = in_->PushLimit(static_cast<int>(size));
        if (!Read(field->message_type(), PlaceOf(*field, place, key, element), objects)) return false;
        in_->PopLimit(outer);
      }
    }
    return in_->ConsumedEntireMessage();
  }

 private:
  static constexpr int kKeyNumber = 1;  // of every entry of a map

  // As validation names it: what only wraps a value of the metadata has no name of its own.
  static std::string PlaceOf(const FieldDescriptor& field, const std::string& place, const std::string& key,
                             std::size_t element) {
    const Descriptor* type = field.containing_type();
    if (type->options().map_entry()) return MemberPlace(place, key);
    if (type == google::protobuf::ListValue::descriptor()) return ElementPlace(place, element);
    if (type == google::protobuf::Value::descriptor() || field.is_map()) return place;
    const std::string named = place.empty() ? field.name() : place + '.' + field.name();
    return field.is_repeated() ? ElementPlace(named, element) : named;
  }

  bool Found(const std::string& place, std::string why) {
    found_ = {place, std::move(why)};
    return false;
  }

  CodedInputStream* const in_;
  std::optional<Violation> found_;
};

}  // namespace

std::optional<Violation> ParseRequest(std::string_view bytes, google::protobuf::Message* request) {
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const int size = static_cast<int>(bytes.size());
  {
    CodedInputStream in(begin, size);
    in.SetRecursionLimit(kMessagesDepthMax);
    if (request->ParseFromCodedStream(&in) && in.ConsumedEntireMessage()) return std::nullopt;
  }
  CodedInputStream in(begin, size);
  in.PushLimit(size);
  Inspection inspection(&in);
  inspection.Read(request->GetDescriptor(), "", 0);
  if (inspection.found()) return inspection.found();
  return Violation{"request", "is no " + request->GetDescriptor()->full_name() +
                                  ": it is cut, or another message; send one as connector.proto describes it"};
}

}  // namespace kps
