#include "cli/kit/tools.h"

#include <CLI/App.hpp>

#include "cli/kit/check/check.h"
#include "cli/kit/check/check_child.h"
#include "cli/kit/check/wire.h"
#include "cli/kit/class/class.h"
#include "cli/kit/inspect/inspect.h"
#include "cli/kit/inspect/inspect_child.h"
#include "cli/kit/inspect/list.h"
#include "cli/kit/new/new.h"
#include "cli/kit/run/run.h"
#include "cli/kit/sums.h"
#include "host/plugin/preflight.h"

namespace kps::cli {

void AddTools(CLI::App* group, ToolJob* job) {
  AddInspect(group, job);
  AddList(group, job);
  AddCheck(group, job);
  AddRun(group, job);
  AddNew(group, job);
  AddClass(group, job);
  AddSums(group, job);
}

std::optional<int> RunAsChild(std::string_view argument) {
  if (argument == kInspectArgument) return RunInspectChild();
  if (argument == kCheckArgument) return RunCheckChild();
  if (argument == "--preflight") return RunPreflight();
  return {};
}

}  // namespace kps::cli
