// A StateStore in the files of a directory: "desired" (streams and config) and "positions" (resume points), see
// state_file.h. Both are replaced whole, so that a crash at any moment leaves the old content or the new one.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "host/core/error.h"
#include "host/core/state_store.h"

namespace kps {

struct StateDirOptions {
  std::string connector_id;                     // files that name another one are not this connector's; empty: any
  std::chrono::milliseconds save_interval{20};  // resume points are written no more often than this
};

// Makes the directory when it is missing, and keeps it for this process until the store is destroyed.
// The listener outlives the store. The destructor saves what was handed over last, if that is possible at once.
// INVALID_ARGUMENT: not a directory. FAILED_PRECONDITION: in use by another process, which the sentence names.
Result<std::unique_ptr<StateStore>> OpenStateDir(const std::string& directory, StateDirOptions options,
                                                 StateStoreListener* listener);

}  // namespace kps
