// A producer that takes some, refuses some, fails, and delivers what it has taken only when it is flushed.
#pragma once

#include <functional>
#include <memory>

#include "tests/faults/egress_check.h"
#include "tests/faults/faulty_source.h"

namespace kps::faults {

class FaultySink : public FaultyConnector {
 public:
  FaultySink(Simulation* simulation, EgressCheck* check) : FaultyConnector(simulation), check_(check) {}
  Result<std::unique_ptr<Producer>> CreateProducer(const StreamSpec& stream, Waker* waker) override;

 private:
  EgressCheck* const check_;
};

}  // namespace kps::faults
