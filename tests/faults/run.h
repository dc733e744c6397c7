// Runs one stream under the faults of a seed, over all its restarts, until everything has come through.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/core/transport.h"
#include "tests/faults/simulation.h"

namespace kps::faults {

struct Outcome {
  std::vector<std::string> broken;  // promises; empty: all were kept
  std::vector<Operation> operations;
  std::array<std::uint64_t, static_cast<std::size_t>(Fault::kCount)> faults{};
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t lost = 0;
  std::uint64_t refused = 0;   // by the transport or the producer, for good
  std::uint64_t given_up = 0;  // egress: lost as what nobody keeps may be
};

// Stands between core and the faulty transport: how a test makes core look as if it had a bug.
using Disguise = std::function<std::unique_ptr<Transport>(Transport*)>;

Outcome RunIngress(std::uint64_t seed, const Disguise& disguise = {});
Outcome RunEgress(std::uint64_t seed, const Disguise& disguise = {});

}  // namespace kps::faults
