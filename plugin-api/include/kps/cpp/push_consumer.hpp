// A consumer for sources that push: a client library calls back on its own thread, and this class turns that
// into next, wake and ack.
#ifndef KPS_CPP_PUSH_CONSUMER_HPP
#define KPS_CPP_PUSH_CONSUMER_HPP

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <vector>

#include "connector.hpp"

namespace kps {
namespace plugin {

// Derive, hand every message to push, and in the destructor call close() and end the client's threads: they must
// not push into a destroyed object. The queue is bounded: a full one holds the source back.
class PushConsumer : public Consumer {
 public:
  explicit PushConsumer(size_t queue_messages_max = 1024, uint64_t queue_bytes_max = 16u << 20)
      : queue_(queue_messages_max > 0 ? queue_messages_max : 1), taken_(queue_.size()), bytes_max_(queue_bytes_max) {}

  // [any] Waits while the queue is full. False: close() was called and the message was not taken. source_token
  // comes back in on_ack: an offset, a packet id, whatever the source acknowledges by.
  bool push(const void *data, size_t size, uint64_t source_token = 0, int64_t timestamp_ns = 0) {
    std::unique_lock<std::mutex> lock(mutex_);
    room_.wait(lock, [this, size] { return closed_ || has_room(size); });
    if (closed_) return false;
    enqueue(data, size, source_token, timestamp_ns);
    return true;
  }
  bool push(const std::string &payload, uint64_t source_token = 0, int64_t timestamp_ns = 0) {
    return push(payload.data(), payload.size(), source_token, timestamp_ns);
  }

  // [any] As push, but false at once when the queue is full.
  bool try_push(const void *data, size_t size, uint64_t source_token = 0, int64_t timestamp_ns = 0) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_ || !has_room(size)) return false;
    enqueue(data, size, source_token, timestamp_ns);
    return true;
  }

  // [any] The source failed, for instance lost its connection. Reported once, after the messages before it.
  void fail(const Failure &failure) {
    std::lock_guard<std::mutex> lock(mutex_);
    failure_ = std::make_exception_ptr(failure);
    filled_.notify_one();
  }

  // [any] From now on push takes nothing and no longer waits.
  void close() {
    std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    room_.notify_all();
  }

  void next(Batch &batch, std::chrono::milliseconds timeout) override {
    std::unique_lock<std::mutex> lock(mutex_);
    filled_.wait_for(lock, timeout, [this] { return count_ > 0 || woken_ || failure_; });
    woken_ = false;
    if (count_ == 0 && failure_) {
      const std::exception_ptr failure = failure_;
      failure_ = nullptr;
      lock.unlock();
      std::rethrow_exception(failure);
    }
    while (count_ > 0 && batch.has_room(queue_[head_].payload.size())) {
      // Swapping keeps the capacity of both strings, so a warm queue allocates nothing.
      Slot &slot = taken_[batch.size()];
      std::swap(slot, queue_[head_]);
      bytes_ -= slot.payload.size();
      head_ = (head_ + 1) % queue_.size();
      --count_;
      batch.add_borrowed(slot.payload.data(), slot.payload.size(), slot.timestamp_ns);
      if (batch.size() == taken_.size()) break;
    }
    room_.notify_all();
    lock.unlock();
    if (!batch.empty()) remember(batch);
  }

  void ack(uint64_t token) override {
    while (unacked_begin_ < unacked_.size() && unacked_[unacked_begin_].batch_token <= token)
      on_ack(unacked_[unacked_begin_++].source_token);
    if (unacked_begin_ * 2 >= unacked_.size()) {
      unacked_.erase(unacked_.begin(), unacked_.begin() + static_cast<std::ptrdiff_t>(unacked_begin_));
      unacked_begin_ = 0;
    }
  }

  void wake() override {
    std::lock_guard<std::mutex> lock(mutex_);
    woken_ = true;
    filled_.notify_one();
  }

 protected:
  // [stream] The message is safe: tell the source. Called once a message, in order.
  virtual void on_ack(uint64_t source_token) { static_cast<void>(source_token); }

  // [stream] The resume point after the message with this token, for sources that have one (batch.set_position).
  virtual void set_position(Batch &batch, uint64_t source_token) {
    static_cast<void>(batch);
    static_cast<void>(source_token);
  }

 private:
  struct Slot {
    std::string payload;
    uint64_t source_token = 0;
    int64_t timestamp_ns = 0;
  };
  struct Unacked {
    uint64_t batch_token;
    uint64_t source_token;
  };

  // A message larger than the whole queue is taken alone.
  bool has_room(size_t size) const { return count_ == 0 || (count_ < queue_.size() && bytes_ + size <= bytes_max_); }

  void enqueue(const void *data, size_t size, uint64_t source_token, int64_t timestamp_ns) {
    Slot &slot = queue_[(head_ + count_) % queue_.size()];
    if (size > 0)
      slot.payload.assign(static_cast<const char *>(data), size);
    else
      slot.payload.clear();
    slot.source_token = source_token;
    slot.timestamp_ns = timestamp_ns;
    ++count_;
    bytes_ += size;
    filled_.notify_one();
  }

  void remember(Batch &batch) {
    for (size_t i = 0; i < batch.size(); ++i) {
      Unacked unacked = {batch.token(), taken_[i].source_token};
      unacked_.push_back(unacked);
    }
    set_position(batch, unacked_.back().source_token);
  }

  std::mutex mutex_;
  std::condition_variable filled_;
  std::condition_variable room_;
  // Under mutex_: a ring of queue_.size() slots.
  std::vector<Slot> queue_;
  size_t head_ = 0;
  size_t count_ = 0;
  uint64_t bytes_ = 0;
  bool closed_ = false;
  bool woken_ = false;
  std::exception_ptr failure_;
  // Of the stream's thread.
  std::vector<Slot> taken_;  // the batch that the host still looks at
  std::vector<Unacked> unacked_;
  size_t unacked_begin_ = 0;
  const uint64_t bytes_max_;
};

}  // namespace plugin
}  // namespace kps

#endif
