// A state store whose storage takes its time, or fails for a while; what it has stored outlives a kill.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "host/core/state_store.h"
#include "tests/faults/simulation.h"

namespace kps::faults {

class FaultyStore : public StateStore {
 public:
  // `handed_over` sees every point, before it is safe.
  FaultyStore(Simulation* simulation, std::function<void(const ResumePoint&)> handed_over)
      : simulation_(simulation), handed_over_(std::move(handed_over)) {}

  Error Load(SavedState*) override { return {}; }
  Error SaveDesired(const StreamMap&, const JsonMembers&) override { return {}; }
  std::uint64_t PutResumePoint(std::string_view stream_id, std::string_view position, std::string_view run,
                               std::uint64_t message_count) override;
  std::uint64_t stored() const override;
  Error Flush(milliseconds timeout) override;

  const ResumePoint& stored_point() const { return stored_.point; }
  // What was not stored is gone.
  void Kill();
  // The process ends in order, and saves the rest.
  void Close();

 private:
  struct Save {
    std::uint64_t number = 0;
    ResumePoint point;
    Time done_at{};
  };
  void CatchUp();

  Simulation* const simulation_;
  const std::function<void(const ResumePoint&)> handed_over_;
  Save newest_;
  std::optional<Save> saving_;
  Save stored_;
};

}  // namespace kps::faults
