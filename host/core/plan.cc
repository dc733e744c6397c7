#include "host/core/plan.h"

namespace kps {

Plan PlanStreams(const StreamMap& current, const StreamMap& desired) {
  Plan plan;
  for (const auto& [id, stream] : desired) {
    const auto running = current.find(id);
    if (running == current.end()) {
      plan.start.push_back(id);
    } else if (running->second == stream) {
      plan.keep.push_back(id);
    } else {
      plan.restart.push_back(id);
    }
  }
  for (const auto& [id, stream] : current) {
    if (!desired.contains(id)) plan.stop.push_back(id);
  }
  return plan;
}

}  // namespace kps
