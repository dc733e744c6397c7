#include "cli/kit/inspect/inspect_child.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include "cli/kit/inspect/descriptor_text.h"
#include "cli/result.h"
#include "host/plugin/library_list.h"
#include "host/plugin/load.h"
#include "host/plugin/packed_texts.h"
#include "host/plugin/parent_process.h"

namespace kps::cli {

int RunInspectChild() {
  const auto parent = ParentProcess::Find();
  if (!parent) {
    std::fprintf(stderr, "%s is how plugins are looked at in a child process: it is not for people\n",
                 kInspectArgument);
    return kExitUsage;
  }
  const std::string& path = parent->request();
  const auto libraries = ListLibraries(path, OwnLoader());
  if (libraries.ok()) {
    for (const auto& library : libraries.value()) parent->Tell(kLibraryFrame, PackTexts({library.name, library.path}));
  }
  parent->Tell(kLoadingFrame, "");
  const auto plugin = LoadPlugin(path, {.no_unload = true});
  if (plugin.ok()) {
    parent->Tell(kDescriptorFrame, PackDescriptor(plugin.value()->descriptor()));
  } else {
    parent->Tell(kRefusedFrame, plugin.error().message());
  }
  _exit(kExitOk);  // static destructors are not the question
}

}  // namespace kps::cli
