#include "host/core/undeliverable.h"

#include <algorithm>
#include <chrono>

namespace kps {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kDrainingWait{10};

}  // namespace

Undeliverable::Undeliverable(const StreamContext& context)
    : policy_(context.environment->policy),
      control_(context.control),
      health_(context.health),
      ledger_(context.ledger),
      dead_letters_(context.environment->transport, context.stream, context.control, policy_.dead_letter_channel) {}

bool Undeliverable::GiveUp(std::string_view envelope, DropReason reason, const Error& error, std::uint32_t attempts) {
  switch (policy_.on_undeliverable) {
    case FailurePolicy::OnUndeliverable::kBlock:
      health_->ReactToError("deliver a message", Error(Code::kFailedPrecondition, error.message()));
      return false;
    case FailurePolicy::OnUndeliverable::kDrop:
      ledger_->Drop(reason);
      health_->ReportUndeliverable("dropped", error.message());
      return true;
    case FailurePolicy::OnUndeliverable::kDeadLetter: break;
  }
  return SendDeadLetter(envelope, error, std::max(1U, attempts));
}

bool Undeliverable::SendDeadLetter(std::string_view envelope, const Error& error, std::uint32_t attempts) {
  while (true) {
    const Error put = dead_letters_.Put(envelope, error.message(), attempts);
    if (put.ok()) {
      ledger_->DeadLetter();
      health_->ReportUndeliverable("sent to " + dead_letters_.channel(), error.message());
      return true;
    }
    if (put.code() == Code::kInvalidArgument) {
      ledger_->Drop(DropReason::kTooLarge);
      health_->ReportUndeliverable("dropped, as " + put.message(), error.message());
      return true;
    }
    if (!put.transient()) {
      health_->ReactToError("publish a dead letter", put);
      return false;
    }
    if (control_->IsToEnd()) return false;
    health_->ReportUnhealthy("cannot publish a dead letter: " + put.ToString());
    ledger_->Retry();
    if (control_->stopping()) {
      control_->Pause(kDrainingWait);
    } else {
      health_->WaitShortly();
    }
  }
}

}  // namespace kps
