// Port: what survives the process. host/state keeps it in files.
//
// The desired streams and the config are saved when a SetPayload is accepted, before it is answered. Positions come
// with every confirmed batch, from every stream, so they are only handed over here and saved together, as fast as the
// storage takes them; a stream acknowledges to its source what stored() has reached.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "host/core/error.h"
#include "host/core/json.h"
#include "host/core/plan.h"

namespace kps {

// Where an ingress stream goes on.
struct ResumePoint {
  std::string position;  // the plugin's; empty: none
  std::string run;       // names the numbering of messages, see message_count; made when the numbering begins
  std::uint64_t message_count = 0;  // confirmed in this run, up to the position

  bool operator==(const ResumePoint&) const = default;
};

struct SavedState {
  StreamMap streams;  // desired
  JsonMembers config;
  std::map<std::string, ResumePoint> resume_points;  // by stream id; only of streams that are desired
};

class StateStore {
 public:
  virtual ~StateStore() = default;

  // What was saved last; empty when nothing was. Once, before everything else.
  // DATA_LOSS: a file is torn or not of this connector: it has been set aside under a name that the sentence says, and
  // the rest (in *state) is good. Every other error: nothing was changed, and nothing can be saved; UNIMPLEMENTED: a
  // file is of a later version of the host.
  virtual Error Load(SavedState* state) = 0;

  // Saves the desired state; safe on the disk when it returns. Resume points of streams that are not in it are
  // forgotten; so is that of a stream whose direction or metadata are others than before, which may name another
  // source, and what still comes under the run of that point is ignored: a stream hands over its run when it begins it,
  // so that its old instance may go on until it is stopped. One call at a time.
  // An error: the store goes on with the streams of before.
  virtual Error SaveDesired(const StreamMap& streams, const JsonMembers& config) = 0;

  // Hands over where a desired stream goes on, and returns the number that stored() reaches once it is safe. Copies its
  // arguments; never waits for the storage. Any thread. What is not desired is ignored, and counts as safe.
  virtual std::uint64_t PutResumePoint(std::string_view stream_id, std::string_view position, std::string_view run,
                                       std::uint64_t message_count) = 0;
  virtual std::uint64_t stored() const = 0;

  // Waits until everything handed over is safe. Any thread. Errors: the storage's; it is tried again all the while.
  virtual Error Flush(std::chrono::milliseconds timeout) = 0;
};

// Called by a store on each change: an error while it cannot save, OK when it can again. From any of its calls and
// threads, one call at a time; must not call the store.
class StateStoreListener {
 public:
  virtual ~StateStoreListener() = default;
  virtual void OnStateStore(const Error& error) = 0;
};

}  // namespace kps
