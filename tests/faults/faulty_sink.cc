#include "tests/faults/faulty_sink.h"

#include <algorithm>

namespace kps::faults {
namespace {

class SinkProducer : public Producer {
 public:
  SinkProducer(Simulation* simulation, EgressCheck* check) : simulation_(simulation), check_(check) {}
  ~SinkProducer() override { check_->OnProducerGone(); }

  Error Produce(std::span<const MessageView> messages, milliseconds, std::size_t* taken) override {
    simulation_->Call("Produce", static_cast<std::int64_t>(messages.size()));
    *taken = 0;
    if (simulation_->dead()) return Error(Code::kPermissionDenied, "dead");
    if (simulation_->Happens(Fault::kNothing)) return {};
    const std::size_t n = messages.size();
    const std::size_t stop_at = simulation_->Happens(Fault::kTakesLess) ? simulation_->Below(n) : n;
    const std::size_t fail_at = simulation_->Happens(Fault::kProduceFails) ? simulation_->Below(n) : n;
    for (; *taken < stop_at; ++*taken) {
      const std::size_t message = check_->IndexOf(messages[*taken].payload);
      if (*taken == fail_at) return Fail("cannot take it");
      if (check_->IsRefused(message)) {
        check_->OnRefused(message);
        return Error(message % 2 == 0 ? Code::kInvalidArgument : Code::kOutOfRange, "never");
      }
      check_->OnTaken(message);
    }
    return {};
  }

  Error Flush(milliseconds) override {
    simulation_->Call("Flush");
    if (simulation_->dead()) return Error(Code::kPermissionDenied, "dead");
    if (simulation_->Happens(Fault::kFlushFails)) return Fail("cannot flush");
    check_->OnFlushed();
    return {};
  }

 private:
  Error Fail(const char* doing) {
    Error error = simulation_->AnyError(doing);
    if (!error.transient()) check_->OnProducerFailed();
    return error;
  }

  Simulation* const simulation_;
  EgressCheck* const check_;
};

}  // namespace

Result<std::unique_ptr<Producer>> FaultySink::CreateProducer(const StreamSpec&, Waker*) {
  if (Error error = Create("CreateProducer", 0); !error.ok()) return error;
  check_->OnProducerCreated();
  return std::unique_ptr<Producer>(std::make_unique<SinkProducer>(simulation_, check_));
}

}  // namespace kps::faults
