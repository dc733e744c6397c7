// Ingress: consumer -> window -> transport -> confirm -> position -> ack.
#include <algorithm>
#include <utility>

#include "host/core/stream_runner.h"

namespace kps {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How long next_msg may block when nothing is on its way; a stop wakes it.
constexpr milliseconds kIdle{1000};
// How long to wait for a confirm before looking at the consumer again.
constexpr milliseconds kConfirmWait{20};
// Wait after a next_msg that came back empty at once, so that an impolite plugin does not spin: doubled up to the
// longest.
constexpr milliseconds kSpinWaitFirst{1};
constexpr milliseconds kSpinWaitLongest{100};

}  // namespace

void StreamRunner::RunIngress(Consumer* consumer) {
  auto opened = environment_.transport->OpenPublisher(stream_.channel);
  if (!opened.ok()) {
    events_.Raise(kTransportPublishFailed, opened.error().ToString());
    publish_alert_ = true;
    return ReactToError("open the channel", opened.error());
  }
  const std::unique_ptr<Publisher> publisher = std::move(opened.value());
  Window window(environment_.window);
  milliseconds spin_wait = kSpinWaitFirst;
  bool proven = false;  // the consumer has answered; until then it is asked without waiting: is it healthy?

  while (!Stopping()) {
    ReapConfirmed(consumer, publisher.get(), &window);
    if (!PublishWindow(publisher.get(), &window)) continue;
    if (window.full()) {
      const Error error = publisher->AwaitConfirmed(window.OldestTicket(), kIdle);
      if (error.code() == Code::kAborted) window.Rewind();
      continue;
    }
    const milliseconds timeout = window.empty() && proven ? kIdle : milliseconds(0);
    const auto called_at = steady_clock::now();
    auto batch = consumer->NextBatch(environment_.batch, timeout);
    if (!batch.ok()) {
      // A permanent error waits long: what is on its way is brought home first.
      if (!batch.error().transient()) DrainWindow(consumer, publisher.get(), &window);
      ReactToError("read the next message", batch.error());
      if (events_.failed()) return;
      continue;
    }
    proven = true;
    ReportConnection();
    if (!batch.value().messages.empty()) {
      window.Push(batch.value(), environment_.clock->NowNs());
      spin_wait = kSpinWaitFirst;
    } else if (!window.empty()) {
      const Error error = publisher->AwaitConfirmed(window.NewestTicket(), kConfirmWait);
      if (error.code() == Code::kAborted) window.Rewind();
    } else if (steady_clock::now() - called_at < timeout / 10) {
      WaitForStop(spin_wait);
      spin_wait = std::min(spin_wait * 2, kSpinWaitLongest);
    } else {
      spin_wait = kSpinWaitFirst;
    }
  }
  DrainWindow(consumer, publisher.get(), &window);
}

void StreamRunner::ReapConfirmed(Consumer* consumer, Publisher* publisher, Window* window) {
  const std::uint64_t ticket = publisher->Confirmed();
  Window::Confirmed confirmed{};
  bool any = false;
  while (window->PopConfirmed(ticket, &confirmed)) {
    handover_.position.assign(confirmed.position);
    any = true;
  }
  if (!any) return;
  if (const Error error = consumer->Ack(confirmed.token); !error.ok()) {
    // The messages are safe; what may follow is that the source sends some of them again.
    ReportUnhealthy("cannot acknowledge to the source: " + error.ToString());
  }
}

bool StreamRunner::PublishWindow(Publisher* publisher, Window* window) {
  const Error error = window->PublishTo(publisher);
  if (error.ok()) {
    if (publish_alert_) events_.Clear(kTransportPublishFailed);
    publish_alert_ = false;
    return true;
  }
  switch (error.code()) {
    case Code::kInvalidArgument:
      window->SkipRefused();
      events_.Raise(kMessageUndeliverable, error.message());
      events_.Log(LogLevel::kError, "a message was dropped: " + error.message());
      return false;
    case Code::kResourceExhausted:  // backpressure: try again at once, Publish itself has waited
      return false;
    case Code::kAborted:
      window->Rewind();
      return false;
    default:
      break;
  }
  if (!publish_alert_) {
    events_.Raise(kTransportPublishFailed, error.ToString());
    publish_alert_ = true;
  }
  ReportUnhealthy("cannot publish: " + error.ToString());
  // What was published before the connection went may be lost with it; the publisher says so here.
  if (!window->empty() &&
      publisher->AwaitConfirmed(publisher->Confirmed() + 1, milliseconds(0)).code() == Code::kAborted) {
    window->Rewind();
  }
  WaitForStop(std::min(backoff_.Next(), milliseconds(1000)));
  return false;
}

void StreamRunner::DrainWindow(Consumer* consumer, Publisher* publisher, Window* window) {
  const auto deadline = steady_clock::now() + environment_.drain_timeout;
  ReapConfirmed(consumer, publisher, window);
  while (!window->empty() && steady_clock::now() < deadline) {
    Error error = window->PublishTo(publisher);
    if (error.code() == Code::kInvalidArgument) {
      window->SkipRefused();
      continue;
    }
    if (error.code() == Code::kUnavailable) return;  // reported; the position says where to go on
    if (error.ok()) error = publisher->AwaitConfirmed(window->NewestTicket(), kConfirmWait);
    if (error.code() == Code::kAborted) window->Rewind();
    ReapConfirmed(consumer, publisher, window);
  }
}

}  // namespace kps
