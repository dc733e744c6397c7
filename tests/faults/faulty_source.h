// A source that is read one batch after the other, and everything a plugin may do instead.
#pragma once

#include <functional>
#include <memory>

#include "host/core/plugin.h"
#include "tests/faults/ingress_check.h"

namespace kps::faults {

class FaultyWaker : public Waker {
 public:
  void Wake() override { woken_ = true; }
  void Rest() override { woken_ = false; }
  bool woken() const { return woken_; }

 private:
  bool woken_ = false;
};

// Makes the wakers. The first call lets nothing happen before the test is ready.
class FaultyConnector : public Connector {
 public:
  explicit FaultyConnector(Simulation* simulation) : simulation_(simulation) {}
  Result<ConfigureOutcome> Configure(const std::string&) override { return ConfigureOutcome::kApplied; }
  Result<std::unique_ptr<Consumer>> CreateConsumer(const StreamSpec&, std::string_view, Waker*) override {
    return Error(Code::kUnimplemented, "no ingress");
  }
  Result<std::unique_ptr<Producer>> CreateProducer(const StreamSpec&, Waker*) override {
    return Error(Code::kUnimplemented, "no egress");
  }
  Result<std::unique_ptr<Waker>> CreateWaker(const std::string& stream_id) override;

 protected:
  // Success, or why an instance cannot be made.
  Error Create(const char* name, std::int64_t position);

  Simulation* const simulation_;
};

class FaultySource : public FaultyConnector {
 public:
  struct Hooks {
    std::function<std::size_t()> stored;  // messages before the stored position
    std::function<void()> idle;           // everything was read
  };
  FaultySource(Simulation* simulation, IngressCheck* check, Hooks hooks)
      : FaultyConnector(simulation), check_(check), hooks_(std::move(hooks)) {}
  Result<std::unique_ptr<Consumer>> CreateConsumer(const StreamSpec& stream, std::string_view position,
                                                   Waker* waker) override;

 private:
  IngressCheck* const check_;
  const Hooks hooks_;
};

// Positions are the number of messages before them; none is 0.
std::size_t CountAt(std::string_view position);

}  // namespace kps::faults
