// A runtime among fakes, and questions that tests ask about it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/core/runtime.h"
#include "tests/core/fake_plugin.h"
#include "tests/core/fake_transport.h"
#include "tests/support/eventually.h"

namespace kps::test {

using Texts = std::vector<std::string>;

inline const StreamSpec kIn{"in", Direction::kIngress, "c", "{}"};
inline const StreamSpec kOut{"out", Direction::kEgress, "c", "{}"};

class RuntimeTest : public ::testing::Test {
 public:
  explicit RuntimeTest(StateStore* state = nullptr) : state_store_(state) { Start(); }
  ~RuntimeTest() override {
    // Nothing that a test has left blocked may keep the streams from ending.
    world_.Do([&] { world_.blocked.clear(); });
  }

  // A new runtime; for tests that change the plugin first.
  void Start() {
    runtime_.reset();
    runtime_ = std::move(Runtime::Create({"me", "{}", drain_timeout_, policy_},
                                         {NotOwned(&plugin_), &transport_, &logger_, &clock_, state_store_})
                             .value());
  }

  Runtime::SetOutcome Set(std::vector<StreamSpec> streams, std::vector<JsonMembers> configs = {}) {
    SetPayloadCommand command{"me", {}};
    for (auto& stream : streams) command.payloads.emplace_back(std::move(stream));
    for (auto& config : configs) command.payloads.emplace_back(ConfigPatch{std::move(config)});
    return runtime_->SetPayload(command);
  }

  std::optional<Event> Find(const KnownEvent& type, const std::string& stream_id) const {
    for (const Event& event : runtime_->Events()) {
      if (event.id == type.id && event.kind == type.kind && event.stream_id == stream_id) return event;
    }
    return std::nullopt;
  }
  bool Has(const KnownEvent& type, const std::string& stream_id) const { return Find(type, stream_id).has_value(); }

  // All the streams carry messages.
  bool Subscribed() const {
    for (const auto& view : runtime_->Streams()) {
      if (!view.subscribed) return false;
    }
    return true;
  }

  Texts Created() {
    return world_.Do([&] { return world_.created; });
  }
  Texts Configs() {
    return world_.Do([&] { return world_.configs; });
  }
  Texts Produced() {
    return world_.Do([&] { return world_.produced; });
  }
  Texts Published() {
    return world_.Do([&] {
      Texts payloads;
      for (const auto& [channel, payload] : world_.published) payloads.push_back(payload);
      return payloads;
    });
  }
  // The connectors on which instances of the stream were created, in order.
  std::vector<int> ConnectorsOf(const std::string& id) {
    return world_.Do([&] {
      std::vector<int> connectors;
      for (std::size_t i = 0; i < world_.created.size(); ++i) {
        const std::string& what = world_.created[i];
        if (what.substr(0, what.find('@')) == id) connectors.push_back(world_.created_by[i]);
      }
      return connectors;
    });
  }
  // Those that exist come to be these.
  bool Alive(const std::set<int>& connectors) {
    return Eventually([&] { return world_.Do([&] { return world_.connectors_alive == connectors; }); });
  }
  std::uint64_t Acknowledged() {
    return world_.Do([&] { return world_.acks.empty() ? 0 : world_.acks.back(); });
  }
  bool Comes(const Texts& expected, Texts (RuntimeTest::*what)()) {
    return Eventually([&] { return (this->*what)() == expected; });
  }

  StateStore* const state_store_;  // may be null
  std::chrono::milliseconds drain_timeout_{10'000};
  FailurePolicy policy_;
  World world_;
  FakePlugin plugin_{&world_};
  FakeTransport transport_{&world_};
  FakeLogger logger_{&world_};
  FakeClock clock_;
  std::unique_ptr<Runtime> runtime_;
};

}  // namespace kps::test
