#include "cli/kit/check/check_child.h"

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "cli/kit/check/findings.h"
#include "cli/kit/check/subject.h"
#include "cli/kit/check/wire.h"
#include "cli/result.h"
#include "host/plugin/load.h"
#include "host/plugin/packed_texts.h"
#include "host/plugin/parent_process.h"

namespace kps::cli {
namespace {

void Examine(const Rule& rule, const CheckParameters& parameters, Findings* findings) {
  findings->SetAt("the library, while it was loaded");
  auto loaded = LoadTable(parameters.file);
  findings->SetAt("");
  if (!loaded.ok()) {
    // Said once: without a table, no other rule can be examined.
    std::string_view(rule.id) == "table" ? findings->Fail(loaded.error().message())
                                         : findings->Skip("it cannot be loaded");
    return;
  }
  const auto unload = [&] {
    findings->SetAt("the library, while it was unmapped");
    loaded.value() = {};
    return ResidentLibraries() == 0;
  };
  // Left as they are: a thread that the plugin has forgotten may still use them.
  auto* const subject = new Subject(loaded.value().table, parameters, unload, findings);
  try {
    rule.examine(*subject);
  } catch (const ExaminationEnded&) {
  }
  findings->Done();
  _exit(kExitOk);  // static destructors are not the question
}

}  // namespace

int RunCheckChild() {
  const auto parent = ParentProcess::Find();
  const auto texts = parent ? UnpackTexts(parent->request(), 8) : std::nullopt;
  const Rule* const rule = texts ? FindRule((*texts)[0]) : nullptr;
  if (rule == nullptr || rule->examine == nullptr) {
    std::fprintf(stderr, "%s is how a plugin is examined in a child process: it is not for people\n", kCheckArgument);
    return kExitUsage;
  }
  if (chdir((*texts)[1].c_str()) != 0) {
    std::fprintf(stderr, "%s: %s\n", (*texts)[1].c_str(), std::strerror(errno));
    return kExitUsage;
  }
  Findings findings(&*parent);
  Examine(*rule,
          {(*texts)[2], (*texts)[3], (*texts)[4], (*texts)[5], (*texts)[6],
           static_cast<std::uint32_t>(std::strtoul((*texts)[7].c_str(), nullptr, 10))},
          &findings);
  findings.Done();
  _exit(kExitOk);
}

}  // namespace kps::cli
