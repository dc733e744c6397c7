// Prints what README.md says about the contract: calls and codes as connector.proto has them, events as the host raises
// them. scripts/update-readme puts it there, and a test fails where it differs.

#include <google/protobuf/descriptor.h>

#include <iostream>
#include <map>
#include <string>

#include "connector/v1/connector.pb.h"
#include "host/core/error.h"
#include "host/core/host_events.h"

namespace {

using google::protobuf::EnumDescriptor;
namespace v1 = connector::v1;

const std::map<std::string, std::string> kCalls{
    {"GetPayload",
     "kind STREAM: every desired stream, and every one that the plugin has discovered; kind CONFIG: the merged config"},
    {"SetPayload", "the streams named are the whole desired set, others stop; config is merged key by key"},
    {"GetEvents", "the latest event for each kind, id and stream"},
};

// When the host itself answers a call with the code; the other codes are a plugin's, refusing a config.
const std::map<std::string, std::string> kAnswers{
    {"OK", "the desired state is accepted, or here is what was asked for"},
    {"INVALID_ARGUMENT", "something in the request is wrong, and nothing was changed: `details` name every field"},
    {"RESOURCE_EXHAUSTED",
     "too many SetPayloads wait for their turn already, or there are not enough threads for the streams"},
    {"UNAVAILABLE",
     "the host is stopping, the state cannot be saved, or the plugin cannot take a config now; nothing was changed"},
};

std::string Short(const std::string& name, const EnumDescriptor& type) {
  // RESPONSE_CODE_UNSPECIFIED has the prefix that all of them have.
  const std::string& first = type.value(0)->name();
  return name.substr(first.size() - std::string("UNSPECIFIED").size());
}

void PrintEvent(const kps::KnownEvent& event) {
  const auto severity = static_cast<v1::Severity>(event.severity);
  const auto state = static_cast<v1::State>(event.state);
  const auto or_dash = [](bool nothing, const std::string& name) { return nothing ? "–" : name; };
  std::cout << "| " << (event.kind == kps::EventKind::kAlert ? "alert" : "status") << " | `" << event.id << "` | "
            << event.message << " | "
            << or_dash(severity == v1::SEVERITY_UNSPECIFIED,
                       Short(v1::Severity_Name(severity), *v1::Severity_descriptor()))
            << " | " << or_dash(state == v1::STATE_UNSPECIFIED, Short(v1::State_Name(state), *v1::State_descriptor()))
            << " | " << event.when << " |\n";
}

// 0 when there is a word for each thing of the contract, and none for another.
int Print() {
  const auto& file = *v1::Stream::descriptor()->file();
  std::size_t described = 0;
  std::cout << "| call | answer |\n|---|---|\n";
  for (int i = 0; i < file.service(0)->method_count(); ++i) {
    const std::string& name = file.service(0)->method(i)->name();
    described += kCalls.count(name);
    std::cout << "| `" << name << "` | " << (kCalls.contains(name) ? kCalls.at(name) : "?") << " |\n";
  }
  bool complete = described == kCalls.size() && file.service(0)->method_count() == static_cast<int>(described);

  const EnumDescriptor& codes = *v1::ResponseCode_descriptor();
  described = 0;
  std::cout << "\n| code | | a stream whose plugin reports it | the host answers it when |\n|---|---|---|---|\n";
  for (int i = 1; i < codes.value_count(); ++i) {
    const std::string name = Short(codes.value(i)->name(), codes);
    const kps::Error error(static_cast<kps::Code>(codes.value(i)->number()), "");
    complete = complete && name == kps::CodeName(error.code());
    described += kAnswers.count(name);
    std::cout << "| `" << name << "` | " << codes.value(i)->number() << " | "
              << (error.ok()          ? "goes on"
                  : error.transient() ? "is tried again"
                                      : "waits for the next SetPayload")
              << " | " << (kAnswers.contains(name) ? kAnswers.at(name) : "–") << " |\n";
  }
  complete = complete && described == kAnswers.size();

  std::cout << "\n| event | id | message | severity | state | when |\n|---|---|---|---|---|---|\n";
  for (const kps::KnownEvent& event : kps::kKnownEvents) PrintEvent(event);
  for (const kps::KnownEvent& event : kps::kHostEvents) PrintEvent(event);
  if (!complete) std::cerr << "contract_markdown.cc does not say what connector.proto has\n";
  return complete ? 0 : 1;
}

}  // namespace

int main() { return Print(); }
