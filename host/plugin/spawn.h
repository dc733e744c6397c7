// Starts the process of child_process.h.
#pragma once

#include <sys/types.h>

#include "host/plugin/child_process.h"
#include "host/plugin/file_descriptor.h"

namespace kps {

// A running child and the parent's ends of its descriptors, which do not block.
struct Spawned {
  pid_t pid = -1;
  FileDescriptor pid_fd;  // readable when it has ended
  FileDescriptor request;
  FileDescriptor frames;
  FileDescriptor errors;  // its stderr
};

// In a process group of its own. 0, or the errno that says why it was not started.
int Spawn(const ChildCommand& command, Spawned* spawned);

}  // namespace kps
