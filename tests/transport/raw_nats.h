// libnats as another client of the same server, to look at what the transport has done and to interfere.
#pragma once

#include <nats/nats.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace kps::test {

class RawNats {
 public:
  explicit RawNats(const std::string& url) { Check(natsConnection_ConnectTo(&connection_, url.c_str())); }
  RawNats(const RawNats&) = delete;
  RawNats& operator=(const RawNats&) = delete;
  ~RawNats() {
    natsSubscription_Destroy(subscription_);
    natsConnection_Destroy(connection_);
  }

  // One call of the JetStream API, which must succeed: its answer.
  std::string Call(const std::string& call, const std::string& json = "") {
    natsMsg* answer = nullptr;
    Check(natsConnection_RequestString(&answer, connection_, ("$JS.API." + call).c_str(), json.c_str(), 5000));
    std::string text(natsMsg_GetData(answer), static_cast<std::size_t>(natsMsg_GetDataLength(answer)));
    natsMsg_Destroy(answer);
    if (text.find("\"error\"") != std::string::npos) throw std::runtime_error(call + ": " + text);
    return text;
  }
  void CreateStream(const std::string& name, const std::string& subjects, const std::string& more = "") {
    Call("STREAM.CREATE." + name, "{\"name\":\"" + name + "\",\"subjects\":[" + subjects + "]" + more + "}");
  }

  void Publish(const std::string& subject, const std::string& text) {
    Check(natsConnection_PublishString(connection_, subject.c_str(), text.c_str()));
    Check(natsConnection_Flush(connection_));
  }
  void Ask(const std::string& subject, const std::string& reply, const std::string& text) {
    const auto bytes = static_cast<int>(text.size());
    Check(natsConnection_PublishRequest(connection_, subject.c_str(), reply.c_str(), text.data(), bytes));
    Check(natsConnection_Flush(connection_));
  }
  void Subscribe(const std::string& subject) {
    Check(natsConnection_SubscribeSync(&subscription_, connection_, subject.c_str()));
    Check(natsConnection_Flush(connection_));
  }
  // "VALUE of the header", of the next message; "" if it has none.
  std::string NextHeader(const std::string& name) {
    natsMsg* message = nullptr;
    Check(natsSubscription_NextMsg(&message, subscription_, 5000));
    const char* value = nullptr;
    const std::string text = natsMsgHeader_Get(message, name.c_str(), &value) == NATS_OK ? value : "";
    natsMsg_Destroy(message);
    return text;
  }

 private:
  static void Check(natsStatus status) {
    if (status != NATS_OK) throw std::runtime_error(natsStatus_GetText(status));
  }

  natsConnection* connection_ = nullptr;
  natsSubscription* subscription_ = nullptr;
};

}  // namespace kps::test
