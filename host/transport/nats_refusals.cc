#include "host/transport/nats_refusals.h"

#include <algorithm>
#include <cctype>
#include <vector>

namespace kps {
namespace {

constexpr std::chrono::minutes kSayAgainAfter{1};
// Kinds that are remembered. A host uses few subjects; when they are more, the oldest is forgotten.
constexpr std::size_t kKindsMax = 1024;

constexpr std::string_view kAcks = "$JS.ACK.";
constexpr std::string_view kJetStream = "$JS.";
constexpr std::string_view kInboxes = "_INBOX.";
// Tokens of the subject of an acknowledgment: from so many on there are a domain and an account before the stream
// (jetstream_wire.cc).
constexpr std::size_t kTokensNewer = 11;

// "$JS.ACK.<stream>.<consumer>.>"
std::string AcksOfConsumer(std::string_view subject) {
  std::vector<std::string_view> tokens;
  for (std::size_t start = 0; start <= subject.size();) {
    const std::size_t end = std::min(subject.find('.', start), subject.size());
    tokens.push_back(subject.substr(start, end - start));
    start = end + 1;
  }
  const std::size_t stream = tokens.size() >= kTokensNewer ? 4 : 2;
  if (tokens.size() < stream + 2) return std::string(subject);
  return std::string(kAcks) + std::string(tokens[stream]) + "." + std::string(tokens[stream + 1]) + ".>";
}

std::string KindOf(std::string_view subject) {
  if (subject.starts_with(kAcks)) return AcksOfConsumer(subject);
  if (subject.starts_with(kInboxes)) return std::string(kInboxes) + ">";
  return std::string(subject);
}

// What stands between `before` and the next quotation mark.
std::optional<std::string> Quoted(std::string_view text, std::string_view before) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  const auto found = std::search(text.begin(), text.end(), before.begin(), before.end(), same);
  if (found == text.end()) return std::nullopt;
  const auto start = found + static_cast<std::ptrdiff_t>(before.size());
  return std::string(start, std::find(start, text.end(), '"'));
}

}  // namespace

std::optional<NatsRefusal> ReadNatsRefusal(std::string_view text) {
  if (auto subject = Quoted(text, "permissions violation for publish to \"")) {
    return NatsRefusal{NatsRefusal::Of::kPublish, std::move(*subject), std::string(text)};
  }
  if (auto subject = Quoted(text, "permissions violation for subscription to \"")) {
    return NatsRefusal{NatsRefusal::Of::kSubscribe, std::move(*subject), std::string(text)};
  }
  return std::nullopt;
}

Error NotPermitted(NatsRefusal::Of of, std::string_view subject) {
  const std::string what = of == NatsRefusal::Of::kPublish ? "publish" : "subscribe";
  return Error(Code::kPermissionDenied, "the NATS server does not permit to " + what + " to " + KindOf(subject) +
                                            ": give this user the permission, then send the streams again");
}

bool NatsRefusals::Add(const NatsRefusal& refusal, Clock::time_point now) {
  MutexLock lock(mutex_);
  if (last_.size() >= kKindsMax) {
    last_.erase(std::min_element(last_.begin(), last_.end(),
                                 [](const auto& a, const auto& b) { return a.second.number < b.second.number; }));
  }
  const auto [found, is_new] = last_.try_emplace({refusal.of, KindOf(refusal.subject)});
  Last& last = found->second;
  last.number = ++count_;
  if (!is_new && now - last.said_at < kSayAgainAfter) return false;
  last.said_at = now;
  return true;
}

bool NatsRefusals::Since(std::uint64_t before, NatsRefusal::Of of, std::string_view subject) const {
  if (count_ == before) return false;
  MutexLock lock(mutex_);
  const auto found = last_.find({of, KindOf(subject)});
  return found != last_.end() && found->second.number > before;
}

std::string NatsRefusals::NamedIn(std::string_view text, std::uint64_t before) const {
  MutexLock lock(mutex_);
  for (const auto& [kind, last] : last_) {
    // The name of a channel may be any word.
    const bool own = kind.second.starts_with(kJetStream) || kind.second.starts_with(kInboxes);
    if (!own || last.number <= before || text.find(kind.second) == std::string_view::npos) continue;
    return std::string("the NATS server does not permit to ") +
           (kind.first == NatsRefusal::Of::kPublish ? "publish to " : "subscribe to ") + kind.second;
  }
  return {};
}

}  // namespace kps
