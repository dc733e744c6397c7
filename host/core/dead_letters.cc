#include "host/core/dead_letters.h"

#include <algorithm>
#include <array>
#include <utility>

#include "host/core/channel.h"
#include "host/core/run_id.h"

namespace kps {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kConfirmTimeout{5000};
constexpr milliseconds kLookAgain{100};

// A header is one line.
std::string OneLine(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; }, ' ');
  return text;
}

}  // namespace

std::string DefaultDeadLetterChannel(const std::string& channel) {
  const std::size_t wildcard = channel.find_first_of("*>");
  if (wildcard == std::string::npos) return channel + ".dead";
  return "dead." + (wildcard == 0 ? "letters" : channel.substr(0, wildcard - 1));
}

DeadLetters::DeadLetters(Transport* transport, const StreamSpec* stream, const StreamControl* control,
                         std::string channel)
    : transport_(transport),
      stream_(stream),
      control_(control),
      channel_(channel.empty() ? DefaultDeadLetterChannel(stream->channel) : std::move(channel)),
      run_(MakeRunId()) {}

Error DeadLetters::Put(std::string_view envelope, const std::string& reason, std::uint32_t attempts) {
  if (ChannelMatches(stream_->channel, channel_) || channel_.find_first_of("*>") != std::string::npos) {
    return Error(Code::kFailedPrecondition, "the dead-letter channel " + channel_ + " cannot be used for the channel " +
                                                stream_->channel + ": set --dead-letter-channel to another");
  }
  if (!publisher_) {
    auto opened = transport_->OpenPublisher(channel_);
    if (!opened.ok()) return opened.error();
    publisher_ = std::move(opened.value());
  }
  const std::string line = OneLine(reason);
  const std::string count = std::to_string(attempts);
  const std::array<Header, 4> headers{{{kReasonHeader, line},
                                       {kAttemptsHeader, count},
                                       {kStreamHeader, stream_->id},
                                       {kChannelHeader, stream_->channel}}};
  const std::string id = run_ + '.' + std::to_string(letters_);
  auto ticket = publisher_->Publish({.envelope = envelope, .message_id = id, .headers = headers});
  const Error error = ticket.ok() ? Await(ticket.value()) : ticket.error();
  // One that refuses its channel does so until it is opened again.
  if (!error.ok() && !error.transient()) publisher_.reset();
  if (error.ok() || !error.transient()) ++letters_;
  return error;
}

Error DeadLetters::Await(std::uint64_t ticket) {
  Error error;
  for (auto waited = milliseconds(0); waited < kConfirmTimeout; waited += kLookAgain) {
    error = publisher_->AwaitConfirmed(ticket, kLookAgain);
    if (error.code() != Code::kDeadlineExceeded || control_->IsToEnd()) break;
  }
  return error;
}

}  // namespace kps
