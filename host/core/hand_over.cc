// A running stream goes over to another connector. Its thread parks at a batch boundary, a thread of the new
// connector's own gets the stream, and what is on its way, received or subscribed stays where it is: in the stream.
#include <string>
#include <system_error>
#include <utility>

#include "host/core/stream_runner.h"
#include "host/core/trial.h"

namespace kps {
namespace {

// Before it is looked for a thread again.
constexpr std::chrono::milliseconds kRetryDelay{1000};

}  // namespace

bool StreamRunner::HandOver(std::shared_ptr<StreamMove> move, std::unique_ptr<Instance>* instance) {
  const auto self = weak_from_this().lock();
  if (!self) return false;  // it is being destroyed, and so told to stop
  try {
    if (*instance && control_.carrying() && control_.OnlyIfItWorks(*move)) {
      const Error error = HandOverIfItWorks(move.get(), instance, self);
      if (error.ok()) return true;
      if (control_.RefuseMove(move.get(), error)) return false;
    }
    HandOverAnyway(move.get(), instance, self);
    return true;
  } catch (const std::system_error& error) {
    const Error why(Code::kResourceExhausted, std::string("the system gives no thread for it: ") + error.what());
    if (control_.RefuseMove(move.get(), why)) return false;
    health_.events().Log(LogLevel::kError, "the stream cannot be moved to the new connector yet: " + why.message());
    (void)control_.WaitForStop(kRetryDelay);
    control_.PutBackMove(std::move(move));
    return false;
  }
}

void StreamRunner::HandOverAnyway(StreamMove* move, std::unique_ptr<Instance>* instance,
                                  const std::shared_ptr<StreamRunner>& self) {
  if (*instance && ingress_) (void)ingress_->Settle((*instance)->consumer(), move->deadline());
  instance->reset();
  control_.SetCarrying(false);
  GoOnIn(self, [&] {
    return WatchedThread([this, connector = move->connector()]() mutable {
      PluginCalls::Mark mark(environment_.calls, stream_.id);
      TakeTurn(std::move(connector), &mark);
      Carry(&mark);
    });
  });
  control_.FinishMove(move, {});
}

Error StreamRunner::HandOverIfItWorks(StreamMove* move, std::unique_ptr<Instance>* instance,
                                      const std::shared_ptr<StreamRunner>& self) {
  const auto parked_at = environment_.clock->Now();
  Error error;
  do {
    error = TryOn(move, instance, self, parked_at);
  } while (error.code() == Code::kAborted && environment_.clock->Now() < move->deadline());
  if (!error.ok() && !*instance) control_.SetCarrying(false);
  return error;
}

// OK: another thread goes on. ABORTED: it may be tried anew. Else the instance is there still, if it could be.
Error StreamRunner::TryOn(StreamMove* move, std::unique_ptr<Instance>* instance,
                          const std::shared_ptr<StreamRunner>& self, StreamControl::TimePoint parked_at) {
  if (*instance && ingress_ && !ingress_->Settle((*instance)->consumer(), move->deadline())) {
    return Error(Code::kUnavailable, "what is on its way is not confirmed in time");
  }
  if (!connector_->overlap_safe() || !move->connector()->overlap_safe()) instance->reset();
  auto trial = std::make_shared<Trial>(Trial::Setup{move->connector(), self, &stream_, &control_, Position(),
                                                    environment_.batch, environment_.calls, environment_.clock},
                                       [this](std::unique_ptr<Instance> made, std::optional<Batch> first,
                                              std::shared_ptr<Connector> connector, PluginCalls::Mark* mark) {
                                         TakeTurn(std::move(connector), mark);
                                         const Carried carried = CarryWith(std::move(made), first);
                                         if (carried != Carried::kByAnother) Carry(mark, carried);
                                       });
  WatchedThread thread = Trial::Start(trial);
  Error error = trial->AwaitResult(move->deadline());
  if (error.ok() && *instance && ingress_) {
    error = ingress_->TakeRest((*instance)->consumer(), move->deadline());
  }
  if (!error.ok()) {
    trial->Reject();
    // What cannot be there twice is not made again before it is gone, unless it does not come back.
    if (!*instance) (void)thread.WaitUntilEnded(environment_.clock->Now() + PluginCalls::kGrace);
    environment_.ending->Add(std::move(thread), std::move(trial));
    environment_.events->KeepOrigin(stream_.id, connector_->origin());
    return error.code() == Code::kAborted && !*instance ? Error(Code::kUnavailable, error.message()) : error;
  }
  const auto pause = environment_.clock->Now() - parked_at;
  GoOnIn(self, [&] { return std::move(thread); });
  trial->Adopt();
  environment_.events->KeepOrigin(stream_.id, move->connector()->origin());  // before anybody hears that it has moved
  control_.FinishMove(move, pause);
  return {};
}

// The thread that `make` gives is the stream's. This one only ends, with what it has on its stack, and is waited for by
// nobody who has to do with the stream.
void StreamRunner::GoOnIn(const std::shared_ptr<StreamRunner>& self, const std::function<WatchedThread()>& make) {
  using Held = std::pair<std::shared_ptr<StreamRunner>, std::shared_ptr<Connector>>;
  auto held = std::make_shared<const Held>(self, connector_);
  {
    MutexLock lock(mutex_);
    mark_ = nullptr;
  }
  MutexLock lock(join_mutex_);  // who joins the stream finds its new thread
  WatchedThread former = std::exchange(thread_, make());
  environment_.ending->Add(std::move(former), std::move(held));
}

}  // namespace kps
