// hostile, configure, discover: what a plugin is given and asked besides its streams.
#include <algorithm>
#include <functional>
#include <string>

#include "cli/kit/check/schema_hostile.h"
#include "cli/kit/check/subject.h"
#include "cli/kit/schema_sample.h"
#include "host/core/schema.h"
#include "host/plugin/discover_sink.h"
#include "host/plugin/text.h"

namespace kps::cli {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kHostileDocuments = 1200;
constexpr milliseconds kHostileBudget{20'000};
constexpr std::size_t kHostileConfigs = 50;
constexpr milliseconds kHostileTime{1000};  // one call with them, of a stream that is to stop
constexpr milliseconds kDiscoverTimeout{2000};

// What a schema's parameters are spoiled from. A schema that nothing can be made of is a matter of other rules.
std::string SampleFor(kps_str schema) {
  const auto sample = SampleOf(View(schema), SampleParameters::kAll);
  return sample.ok() ? sample.value() : "{}";
}

class Hostility {
 public:
  explicit Hostility(Subject* subject) : subject_(*subject) { subject_.host().SetStopping(true); }

  void ToStatic(const std::string& json) { Create(json, subject_.parameters().config_json); }
  void ToConfig(const std::string& json) { Create(subject_.parameters().static_json, json); }
  void ToConsumer(TestedConnector* connector, const std::string& json) {
    TestedConsumer consumer(connector, {json, "", "check-1", true});
    Judge("create_consumer", consumer.created(), json);
    if (consumer.created().ok()) Judge("next_msg", consumer.Next(milliseconds(0)), json);
  }
  void ToProducer(TestedConnector* connector, const std::string& json) {
    TestedProducer producer(connector, {json, "", "check-2", true});
    Judge("create_producer", producer.created(), json);
    std::size_t taken = 0;
    if (producer.created().ok()) Judge("produce", producer.Produce({"x"}, milliseconds(0), &taken), json);
  }

 private:
  void Create(const std::string& static_json, const std::string& config_json) {
    const TestedConnector connector(&subject_, static_json, config_json);
    Judge("create_connector", connector.created(), static_json + " and " + config_json);
  }
  void Judge(const char* function, const CallResult& result, const std::string& json) {
    if (result.took <= kHostileTime) return;
    subject_.findings().Fail(std::string(function) + " took " + std::to_string(result.took.count()) +
                             " ms with the parameters " + Shortened(json, 200));
  }

  Subject& subject_;
};

}  // namespace

void ExamineHostile(Subject& subject) {
  const kps_plugin& table = subject.table();
  const std::size_t kinds = 2 + (subject.has_ingress() ? 1 : 0) + (subject.has_egress() ? 1 : 0);
  const std::size_t each = kHostileDocuments / kinds;
  Hostility hostility(&subject);
  HostileParameters statics(SampleFor(table.static_schema), 1);
  HostileParameters configs(SampleFor(table.config_schema), 2);
  HostileParameters streams(SampleFor(table.stream_schema), 3);
  std::size_t given = 0;
  // Each kind has its share of the time: where every create takes long, there are fewer.
  const auto give = [&](const std::function<void()>& one) {
    const auto deadline = Clock::now() + kHostileBudget / static_cast<int>(kinds);
    for (std::size_t i = 0; i < each && Clock::now() < deadline; ++i, ++given) one();
  };
  give([&] { hostility.ToStatic(statics.Next()); });
  give([&] { hostility.ToConfig(configs.Next()); });
  TestedConnector connector(&subject, subject.parameters().static_json, subject.parameters().config_json);
  if (connector.created().ok() && subject.has_ingress()) {
    give([&] { hostility.ToConsumer(&connector, streams.Next()); });
  }
  if (connector.created().ok() && subject.has_egress()) {
    give([&] { hostility.ToProducer(&connector, streams.Next()); });
  }
  subject.findings().Note(std::to_string(given) + " documents");
}

void ExamineConfigure(Subject& subject) {
  Findings& findings = subject.findings();
  if (subject.table().configure == nullptr) {
    return findings.Skip("there is no configure: hosts make a new connector for a new config");
  }
  TestedConnector connector(&subject);
  int32_t outcome = 0;
  const auto expect_applied = [&](const char* when) {
    const CallResult result = connector.Configure(subject.parameters().config_json, &outcome);
    if (!result.ok()) {
      findings.Fail(std::string("the config with which the connector was created is refused") + when + ": " +
                    result.ToString());
    } else if (outcome != KPS_CONFIGURE_APPLIED && outcome != KPS_CONFIGURE_RECREATE) {
      findings.Fail("*outcome is " + std::to_string(outcome) + ", which means nothing");
    }
  };
  expect_applied("");
  HostileParameters configs(SampleFor(subject.table().config_schema), 4);
  for (std::size_t i = 0; i < kHostileConfigs; ++i) (void)connector.Configure(configs.Next(), &outcome);
  expect_applied(" after configs that cannot be used");
}

void ExamineDiscover(Subject& subject) {
  Findings& findings = subject.findings();
  if (subject.table().discover == nullptr) return findings.Skip("there is no discover: it is optional");
  TestedConnector connector(&subject);
  milliseconds best = milliseconds::max();
  for (int attempt = 0; attempt < 3 && best > kDiscoverTimeout + Subject::kGrace; ++attempt) {
    DiscoverSink sink(subject.table().directions);
    const CallResult result = subject.Call("discover", [&](kps_error* error) {
      return subject.table().discover(connector.get(), sink.get(), static_cast<uint32_t>(kDiscoverTimeout.count()),
                                      error);
    });
    best = std::min(best, result.took);
    if (!result.ok()) return findings.Skip("discover answered " + result.ToString());
    const Discovered discovered = sink.TakeFound();
    if (discovered.skipped > 0) {
      return findings.Fail(std::to_string(discovered.skipped) + " entries cannot be used, the first of them because " +
                           discovered.skipped_reason);
    }
    if (attempt == 0) findings.Note(std::to_string(discovered.streams.size()) + " streams");
  }
  if (best > kDiscoverTimeout + Subject::kGrace) {
    findings.Fail("it took " + std::to_string(best.count()) + " ms of " + std::to_string(kDiscoverTimeout.count()));
  }
}

}  // namespace kps::cli
