// create, bounds, repeat, side-by-side, stop: objects are made and end.
#include <malloc.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <thread>

#include "cli/kit/check/subject.h"

namespace kps::cli {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kFirstMessage{5000};  // how long the first one is waited for
constexpr milliseconds kSoon{1000};          // in which what is to stop has to stop
constexpr milliseconds kRepeatBudget{20'000};
constexpr int kRepeats = 1000;
constexpr milliseconds kSideBySide{500};

// Codes of a create that say that its parameters are at fault, or the plugin.
bool IsMistake(kps_code code) {
  return code == KPS_INVALID_ARGUMENT || code == KPS_OUT_OF_RANGE || code == KPS_UNIMPLEMENTED ||
         code == KPS_INTERNAL || code == KPS_UNKNOWN || code == KPS_DATA_LOSS;
}

// What is created, of what.
struct Created {
  const char* function;
  Need need;
  MadeUp made_up;       // the mark of its parameters
  const char* options;  // that give them
};
constexpr Created kConnector{"create_connector", kNeedsConnector, kMadeUpConnector, "--static-param and --config"};
constexpr Created kConsumer{"create_consumer", kNeedsConsumer, kMadeUpIngress, "--stream"};
constexpr Created kProducer{"create_producer", kNeedsProducer, kMadeUpEgress, "--stream"};

// Whether it was created. What was not is a mistake, or for want of something that is not the plugin's. A schema cannot
// say everything: that what was made up from it is refused is no mistake.
bool JudgeCreated(const Created& kind, const CallResult& created, const std::string& parameters, Subject* subject) {
  Findings* const findings = &subject->findings();
  if (created.ok()) {
    findings->Has(kind.need);
    return true;
  }
  const std::string what =
      std::string(kind.function) + " answered " + created.ToString() + ", for the parameters " + parameters;
  if (created.code == KPS_INVALID_ARGUMENT && (subject->parameters().made_up & kind.made_up) != 0) {
    findings->Refused(kind.need);
    findings->Skip("the schema allows what the plugin refuses: " + what +
                   ", which were made up; make the schema stricter, or give " + kind.options);
  } else if (IsMistake(created.code)) {
    findings->Fail(what);
  } else {
    findings->Note(what + ": what needs it is not examined");
  }
  return false;
}

void AwaitFirstMessage(TestedConsumer* consumer, Findings* findings) {
  std::string why = "none came within 5 s";
  for (const auto deadline = Clock::now() + kFirstMessage; Clock::now() < deadline;) {
    const CallResult result = consumer->Next(milliseconds(100));
    if (consumer->batch().message_count > 0) return findings->Has(kNeedsMessages);
    if (result.ok()) continue;
    why = "next_msg answered " + result.ToString();
    if (!result.transient()) break;
    std::this_thread::sleep_for(milliseconds(50));  // it is to be asked again, and not at once
  }
  findings->Note("no message: " + why + "; what needs messages is not examined");
}

// What a process holds.
struct Holdings {
  std::int64_t bytes = 0;
  std::int64_t threads = 0;
  std::int64_t descriptors = 0;

  static std::int64_t EntriesOf(const char* directory) {
    std::error_code ignored;
    return std::distance(std::filesystem::directory_iterator(directory, ignored), {});
  }
  static Holdings Now() {
    malloc_trim(0);
    const struct mallinfo2 heap = mallinfo2();
    return {static_cast<std::int64_t>(heap.uordblks + heap.hblkhd), EntriesOf("/proc/self/task"),
            EntriesOf("/proc/self/fd")};
  }
};

// A connector with one instance of each direction that can be had.
void CreateAndDestroyAll(Subject* subject, bool woken) {
  TestedConnector connector(subject);
  if (subject->has_ingress()) {
    TestedConsumer consumer(&connector, {subject->parameters().ingress_json, "", "check-1", woken});
    if (consumer.created().ok()) (void)consumer.Next(milliseconds(0));
  }
  if (subject->has_egress()) {
    TestedProducer producer(&connector, {subject->parameters().egress_json, "", "check-2", woken});
  }
}

// Growth that goes on: in the second half as in the first, and by more than the noise of an allocator.
void JudgeGrowth(const std::array<Holdings, 3>& seen, int repeats, Findings* findings) {
  const auto judge = [&](const char* what, std::int64_t first, std::int64_t middle, std::int64_t last,
                         std::int64_t each_min) {
    const std::int64_t half = repeats / 2;
    if (middle - first < each_min * half || last - middle < each_min * half) return;
    findings->Fail(std::to_string(last - first) + " " + what + " are left after " + std::to_string(repeats) + " times");
  };
  judge("bytes", seen[0].bytes, seen[1].bytes, seen[2].bytes, 8);
  judge("threads", seen[0].threads, seen[1].threads, seen[2].threads, 1);
  judge("descriptors", seen[0].descriptors, seen[1].descriptors, seen[2].descriptors, 1);
}

void RunBeside(Subject* subject, TestedConnector* connector, const std::string& id) try {
  const auto deadline = Clock::now() + kSideBySide;
  while (Clock::now() < deadline) {
    if (subject->has_ingress()) {
      TestedConsumer consumer(connector, {subject->parameters().ingress_json, "", id + "-in"});
      for (int i = 0; consumer.created().ok() && i < 20; ++i) (void)consumer.Next(milliseconds(1));
    }
    if (subject->has_egress()) {
      TestedProducer producer(connector, {subject->parameters().egress_json, "", id + "-out"});
      std::size_t taken = 0;
      for (int i = 0; producer.created().ok() && i < 20; ++i) (void)producer.Produce({id}, milliseconds(1), &taken);
    }
  }
} catch (const ExaminationEnded&) {
}

void ExpectSoon(const char* what, milliseconds took, Findings* findings) {
  if (took > kSoon) {
    findings->Fail(std::string(what) + " took " + std::to_string(took.count()) +
                   " ms of a stream that is to stop; 1,000 are a lot");
  }
}

milliseconds Since(Clock::time_point begun) { return std::chrono::duration_cast<milliseconds>(Clock::now() - begun); }

}  // namespace

void ExamineCreate(Subject& subject) {
  const CheckParameters& parameters = subject.parameters();
  TestedConnector connector(&subject, parameters.static_json, parameters.config_json);
  if (!JudgeCreated(kConnector, connector.created(), parameters.static_json + " and " + parameters.config_json,
                    &subject)) {
    return;
  }
  if (subject.has_ingress()) {
    TestedConsumer consumer(&connector, {parameters.ingress_json});
    if (JudgeCreated(kConsumer, consumer.created(), parameters.ingress_json, &subject)) {
      AwaitFirstMessage(&consumer, &subject.findings());
    }
  }
  if (subject.has_egress()) {
    TestedProducer producer(&connector, {parameters.egress_json});
    (void)JudgeCreated(kProducer, producer.created(), parameters.egress_json, &subject);
  }
}

void ExamineBounds(Subject& subject) {
  subject.SetGuarded();
  TestedConnector connector(&subject);
  if (subject.table().configure != nullptr) {
    int32_t outcome = 0;
    (void)connector.Configure(subject.parameters().config_json, &outcome);
  }
  if (subject.has_ingress()) {
    std::string position;
    {
      TestedConsumer consumer(&connector, {subject.parameters().ingress_json});
      for (int i = 0; consumer.created().ok() && i < 20 && position.empty(); ++i) {
        if (consumer.Next(milliseconds(50)).ok()) position = consumer.position();
      }
    }
    TestedConsumer resumed(&connector, {subject.parameters().ingress_json, position});
  }
  if (subject.has_egress()) {
    TestedProducer producer(&connector, {subject.parameters().egress_json});
    std::size_t taken = 0;
    if (producer.created().ok()) (void)producer.Produce({"", "x", std::string(4096, 'y')}, kSoon, &taken);
  }
}

void ExamineRepeat(Subject& subject) {
  constexpr int kWarm = 50;
  const auto deadline = Clock::now() + kRepeatBudget;
  for (int i = 0; i < kWarm && Clock::now() < deadline - kRepeatBudget * 3 / 4; ++i)
    CreateAndDestroyAll(&subject, false);
  std::array<Holdings, 3> seen{Holdings::Now()};
  int done = 0;
  // Halves of the same size, also when the time is over before.
  while (done < kRepeats / 2 && Clock::now() < deadline - kRepeatBudget / 2) {
    CreateAndDestroyAll(&subject, false);
    ++done;
  }
  seen[1] = Holdings::Now();
  for (int i = 0; i < done; ++i) CreateAndDestroyAll(&subject, false);
  seen[2] = Holdings::Now();
  if (2 * done < kRepeats) subject.findings().Note("only " + std::to_string(2 * done) + " times: each takes long");
  JudgeGrowth(seen, 2 * done, &subject.findings());
}

void ExamineSideBySide(Subject& subject) {
  TestedConnector first(&subject);
  {
    TestedConnector second(&subject, subject.parameters().static_json, subject.parameters().config_json);
    if (second.created().transient()) {
      return subject.findings().Skip("no second connector can be had: " + second.created().ToString());
    }
    if (!second.created().ok()) {
      return subject.findings().Fail("a second connector cannot be made beside the first: " +
                                     second.created().ToString());
    }
    std::thread thread([&] { RunBeside(&subject, &second, "b"); });
    RunBeside(&subject, &first, "a");
    thread.join();
  }
  RunBeside(&subject, &first, "a");  // the other one is gone
}

void ExamineStop(Subject& subject) {
  Findings& findings = subject.findings();
  auto connector = std::make_unique<TestedConnector>(&subject);
  subject.host().SetStopping(true);
  if (subject.has_ingress()) {
    auto consumer = std::make_unique<TestedConsumer>(
        connector.get(), StreamArguments{subject.parameters().ingress_json, "", "check-1", true});
    ExpectSoon("create_consumer", consumer->created().took, &findings);
    if (consumer->created().ok()) ExpectSoon("next_msg", consumer->Next(milliseconds(5000)).took, &findings);
    const auto begun = Clock::now();
    consumer.reset();
    ExpectSoon("destroy_consumer", Since(begun), &findings);
  }
  if (subject.has_egress()) {
    auto producer = std::make_unique<TestedProducer>(
        connector.get(), StreamArguments{subject.parameters().egress_json, "", "check-2", true});
    ExpectSoon("create_producer", producer->created().took, &findings);
    std::size_t taken = 0;
    if (producer->created().ok()) {
      ExpectSoon("produce", producer->Produce({"x"}, milliseconds(5000), &taken).took, &findings);
    }
    const auto begun = Clock::now();
    producer.reset();
    ExpectSoon("destroy_producer", Since(begun), &findings);
  }
  const auto begun = Clock::now();
  connector.reset();
  ExpectSoon("destroy_connector", Since(begun), &findings);
}

}  // namespace kps::cli
