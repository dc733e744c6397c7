// How far an ingress stream has come. What its batches went through is confirmed, then stored, then acknowledged to the
// source, in this order. Of the stream's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "host/core/state_store.h"
#include "host/core/window.h"

namespace kps {

class IngressProgress {
 public:
  // `store` may be null: then what is confirmed counts as stored. It outlives the progress.
  IngressProgress(StateStore* store, std::string stream_id) : store_(store), stream_id_(std::move(stream_id)) {}

  // Goes on where an earlier run of the stream has ended; one that has come nowhere begins a run of its own, and waits
  // for at most `timeout` until that is stored: a process after this one knows its messages by it.
  void Begin(ResumePoint point, std::chrono::milliseconds timeout);
  // A new instance numbers its batches anew: what the last one was not told is of no use to it.
  void ForgetTokens();

  void Confirm(const Window::Confirmed& batch);
  // The newest token that is to be acknowledged now; each once.
  std::optional<std::uint64_t> TakeToken();
  // Something is confirmed and not yet stored, so a token is to come.
  bool waiting() const { return waiting_.has_value(); }

  const ResumePoint& point() const { return point_; }

 private:
  struct Pending {
    std::optional<std::uint64_t> token;
    std::uint64_t save = 0;  // what StateStore::stored() has to reach
  };

  StateStore* const store_;
  const std::string stream_id_;
  ResumePoint point_;
  // The newest would never be stored while more comes, so the one that is waited for stays until it is.
  std::optional<Pending> waiting_;
  std::optional<Pending> newest_;
};

}  // namespace kps
