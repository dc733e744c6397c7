#include "tests/faults/run.h"

#include <algorithm>

#include "tests/faults/egress_check.h"
#include "tests/faults/faulty_sink.h"
#include "tests/faults/faulty_source.h"
#include "tests/faults/faulty_store.h"
#include "tests/faults/ingress_check.h"
#include "tests/faults/lifetimes.h"

namespace kps::faults {
namespace {

constexpr std::size_t kEnvelopeBytesMax = 128;

class NoLog : public Logger {
 public:
  void Log(LogLevel, std::string_view, std::string_view) override {}
};

StreamEnvironment MakeEnvironment(Simulation* simulation, Transport* transport, EventStore* events, Logger* log,
                                  Ledgers* ledgers, PluginCalls* calls, EndingThreads* ending) {
  StreamEnvironment environment;
  environment.transport = transport;
  environment.events = events;
  environment.logger = log;
  environment.clock = simulation;
  environment.ledgers = ledgers;
  environment.calls = calls;
  environment.ending = ending;
  environment.window.batches_max = 1 + simulation->Below(8);
  if (simulation->OneIn(4)) environment.window.bytes_max = 1 + simulation->Below(100);
  return environment;
}

Outcome MakeOutcome(const Simulation& simulation) {
  Outcome outcome;
  outcome.broken = simulation.broken();
  outcome.operations = simulation.operations();
  outcome.faults = simulation.fault_counts();
  return outcome;
}

// What may make a source send, or a stream publish, something twice.
bool MayDouble(const Simulation& simulation) {
  constexpr Fault kDoubling[] = {Fault::kDisconnect, Fault::kDrop,           Fault::kDouble,
                                 Fault::kForbidden,  Fault::kSourceAckFails, Fault::kStoreFails};
  return std::any_of(std::begin(kDoubling), std::end(kDoubling),
                     [&](Fault fault) { return simulation.fault_counts()[static_cast<std::size_t>(fault)] > 0; });
}

}  // namespace

Outcome RunIngress(std::uint64_t seed, const Disguise& disguise) {
  Simulation simulation(seed);
  IngressCheck check({.messages = 1 + simulation.Below(60),
                      .resumes = simulation.OneIn(2),
                      .has_ids = simulation.OneIn(2),
                      .stores = simulation.OneIn(2)},
                     &simulation);
  FaultyTransport transport({.envelope_bytes_max = kEnvelopeBytesMax}, &simulation, &check);
  const std::unique_ptr<Transport> disguised = disguise ? disguise(&transport) : nullptr;
  FaultyStore store(&simulation, [&](const ResumePoint& point) { check.OnHandedOver(CountAt(point.position)); });
  const auto stored = [&] {
    (void)store.stored();  // time has passed
    return CountAt(store.stored_point().position);
  };

  std::uint64_t accepted = 0;
  Lifetimes lifetimes(&simulation, {.killed =
                                        [&] {
                                          transport.Kill();
                                          store.Kill();
                                        },
                                    .restarted =
                                        [&] {
                                          store.Close();
                                          const ResumePoint& point = store.stored_point();
                                          check.OnRestart(!point.run.empty());
                                          return point;
                                        },
                                    .account = [&](const Ledger::Figures& f) { accepted += f.accepted; },
                                    .ended = [](bool) {}});
  const auto source =
      std::make_shared<FaultySource>(&simulation, &check, FaultySource::Hooks{.stored = stored, .idle = [&] {
                                                                                if (check.Complete(stored()))
                                                                                  lifetimes.Finish();
                                                                              }});
  EventStore events(&simulation);
  NoLog log;
  Ledgers ledgers;
  PluginCalls calls;
  EndingThreads ending;
  auto environment =
      MakeEnvironment(&simulation, disguised ? disguised.get() : &transport, &events, &log, &ledgers, &calls, &ending);
  if (check.options().stores) environment.state = &store;
  lifetimes.Run({"in", Direction::kIngress, "c", "{}"}, source, environment);

  check.Finish();
  if (accepted != check.read()) simulation.Broken("the ledger accepted another number than was read");
  const bool begins_anew = check.options().resumes && !check.options().stores && lifetimes.restarts() > 1;
  if (check.duplicates() > 0 && lifetimes.kills() == 0 && !begins_anew && !MayDouble(simulation)) {
    simulation.Broken(std::to_string(check.duplicates()) + " duplicates without a reason");
  }
  Outcome outcome = MakeOutcome(simulation);
  outcome.sent = check.options().messages;
  outcome.delivered = check.delivered();
  outcome.duplicates = check.duplicates();
  outcome.lost = check.lost();
  outcome.refused = check.refused();
  return outcome;
}

Outcome RunEgress(std::uint64_t seed, const Disguise& disguise) {
  Simulation simulation(seed);
  const bool keeping = !simulation.OneIn(3);
  EgressCheck::Options options{
      .envelopes = 1 + simulation.Below(60), .keeping = keeping, .dead_letters = simulation.OneIn(2)};
  EgressCheck check(options, &simulation);
  FaultyTransport transport({.keeping = keeping}, &simulation, &check);
  const std::unique_ptr<Transport> disguised = disguise ? disguise(&transport) : nullptr;
  check.FeedTo(&transport);

  std::uint64_t delivered = 0;
  Lifetimes lifetimes(&simulation,
                      {.killed = [&] { transport.Kill(); },
                       .restarted = [] { return ResumePoint(); },
                       .account = [&](const Ledger::Figures& f) { delivered += f.delivered; },
                       .ended = [&](bool in_order) { check.OnHostEnded(in_order, transport.Connected()); }});
  const auto sink = std::make_shared<FaultySink>(&simulation, &check);
  transport.when_drained = [&] { lifetimes.Finish(); };
  EventStore events(&simulation);
  NoLog log;
  Ledgers ledgers;
  PluginCalls calls;
  EndingThreads ending;
  auto environment =
      MakeEnvironment(&simulation, disguised ? disguised.get() : &transport, &events, &log, &ledgers, &calls, &ending);
  environment.policy.on_undeliverable =
      options.dead_letters ? FailurePolicy::OnUndeliverable::kDeadLetter : FailurePolicy::OnUndeliverable::kDrop;
  if (options.dead_letters && simulation.OneIn(2)) {
    environment.policy.attempts_max = static_cast<std::uint32_t>(1 + simulation.Below(5));
  }
  lifetimes.Run({"out", Direction::kEgress, "c", "{}"}, sink, environment);

  check.Finish();
  if (delivered != check.deliveries()) simulation.Broken("the ledger delivered another number than was flushed");
  Outcome outcome = MakeOutcome(simulation);
  outcome.sent = check.sent();
  outcome.delivered = check.delivered();
  outcome.duplicates = check.duplicates();
  outcome.lost = check.lost();
  outcome.refused = check.refused();
  outcome.given_up = check.given_up();
  return outcome;
}

}  // namespace kps::faults
