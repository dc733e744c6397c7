// produce, produce-timeout, flush: what a producer owes.
#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "cli/kit/check/subject.h"

namespace kps::cli {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kProducing{5000};  // until it has to have taken something
constexpr milliseconds kTimeout{1000};
constexpr milliseconds kFlushTimeout{10'000};
constexpr milliseconds kStalledWait{10};
// Some later host's kps_message is larger than this one's.
constexpr std::size_t kLargerStride = sizeof(kps_message) + 24;

std::vector<std::string> Payloads() {
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  return {"", "a message of plugin check", every_byte, std::string(100'000, 'x'), "the last one"};
}

// Offers the payloads until all are taken, but for those that are refused by themselves. False: it was told why not.
bool ProduceAll(TestedProducer* producer, std::vector<std::string> left, std::size_t stride, Findings* findings) {
  std::string why = "it took nothing";
  const auto deadline = Clock::now() + kProducing;
  while (!left.empty() && Clock::now() < deadline) {
    std::size_t taken = 0;
    const CallResult result = producer->Produce(left, kTimeout, &taken, stride);
    if (taken > left.size()) {
      findings->Fail("*taken is " + std::to_string(taken) + " after a call with " + std::to_string(left.size()) +
                     " messages");
      return false;
    }
    left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(taken));
    if (result.ok()) {
      if (taken == 0) std::this_thread::sleep_for(kStalledWait);  // "again later"
      continue;
    }
    why = "produce answered " + result.ToString();
    if (result.code == KPS_INVALID_ARGUMENT || result.code == KPS_OUT_OF_RANGE) {
      if (left.empty()) {
        findings->Fail(why + ", which is about a message, and had taken all of them");
        return false;
      }
      findings->Note("a message of " + std::to_string(left.front().size()) + " bytes is refused: " + result.ToString());
      left.erase(left.begin());
    } else if (result.transient()) {
      std::this_thread::sleep_for(kStalledWait);  // it is to be asked again, and not at once
    } else {
      break;
    }
  }
  if (left.empty()) return true;
  findings->Skip(why);
  return false;
}

}  // namespace

void ExamineProduce(Subject& subject) {
  TestedConnector connector(&subject);
  TestedProducer producer(&connector);
  if (!ProduceAll(&producer, Payloads(), sizeof(kps_message), &subject.findings())) return;
  ProduceAll(&producer, Payloads(), kLargerStride, &subject.findings());
}

void ExamineProduceTimeout(Subject& subject) {
  TestedConnector connector(&subject);
  TestedProducer producer(&connector);
  for (const milliseconds timeout : {milliseconds(0), milliseconds(100)}) {
    milliseconds best = milliseconds::max();
    for (int attempt = 0; attempt < 3; ++attempt) {
      std::size_t taken = 0;
      best = std::min(best, producer.Produce(Payloads(), timeout, &taken).took);
    }
    if (best <= timeout + Subject::kGrace) continue;
    subject.findings().Fail("it took " + std::to_string(best.count()) + " ms with a timeout of " +
                            std::to_string(timeout.count()));
  }
}

void ExamineFlush(Subject& subject) {
  Findings& findings = subject.findings();
  if (subject.table().flush == nullptr) {
    return findings.Skip("there is no flush: what produce has taken counts as delivered");
  }
  TestedConnector connector(&subject);
  TestedProducer producer(&connector);
  const auto flush = [&](const char* when) {
    const CallResult result = producer.Flush(kFlushTimeout);
    if (result.took > kFlushTimeout + Subject::kGrace) {
      findings.Fail(std::string("flush") + when + " took " + std::to_string(result.took.count()) + " ms of " +
                    std::to_string(kFlushTimeout.count()));
    }
    if (result.ok()) return true;
    const std::string what = std::string("flush") + when + " answered " + result.ToString();
    result.transient() ? findings.Skip(what) : findings.Fail(what);
    return false;
  };
  if (!flush(" of nothing") || !ProduceAll(&producer, Payloads(), sizeof(kps_message), &findings)) return;
  if (flush("")) flush(", called again,");
}

}  // namespace kps::cli
