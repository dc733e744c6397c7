// What the parts of one stream share.
#pragma once

#include "host/core/ledger.h"
#include "host/core/stream.h"
#include "host/core/stream_control.h"
#include "host/core/stream_environment.h"
#include "host/core/stream_health.h"

namespace kps {

struct StreamContext {
  const StreamSpec* stream;
  const StreamEnvironment* environment;
  StreamControl* control;
  StreamHealth* health;
  Ledger* ledger;
};

}  // namespace kps
