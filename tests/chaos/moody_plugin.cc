// A producer for a service in bad shape: it is slow, away now and then, fails to flush, and can never take some
// messages. What it has delivered stands in a file, a number a line: those of the generator's payloads.
#include <chrono>
#include <fstream>
#include <kps/cpp/params.hpp>
#include <kps/plugin.hpp>
#include <string>
#include <thread>

#include "tests/chaos/moody.h"

namespace {

using std::chrono::milliseconds;

class Moody : public kps::plugin::MessageProducer {
 public:
  explicit Moody(const kps::plugin::Stream& stream) {
    kps::plugin::Params params(stream.metadata_json, "stream " + stream.id + ", metadata");
    file_.open(params.required_string("path"), std::ios::app);
  }

  bool take(const kps::plugin::Message& message, milliseconds) override {
    const uint64_t number = kps::chaos::NumberOf(message.data, message.size);
    if (kps::chaos::IsRefused(number)) throw kps::plugin::Failure(KPS_INVALID_ARGUMENT, "not this one");
    ++takes_;
    if (takes_ % 40 == 0) std::this_thread::sleep_for(milliseconds(1));
    if (takes_ % 60 == 0) return false;
    if (takes_ % 2500 == 0) throw kps::plugin::Failure(KPS_UNAVAILABLE, "away");
    taken_ += std::to_string(number) + '\n';
    return true;
  }

  // What was taken stays here until it is delivered.
  void flush(milliseconds) override {
    if (++flushes_ % 3 == 0) throw kps::plugin::Failure(KPS_UNAVAILABLE, "cannot flush");
    file_ << taken_ << std::flush;
    taken_.clear();
  }

 private:
  std::ofstream file_;
  std::string taken_;
  uint64_t takes_ = 0;
  uint64_t flushes_ = 0;
};

class MoodyConnector : public kps::plugin::Connector {
 public:
  using Connector::Connector;

  std::unique_ptr<kps::plugin::Producer> create_producer(const kps::plugin::Stream& stream) override {
    return std::make_unique<Moody>(stream);
  }
};

constexpr auto kDescriptor =
    kps::plugin::Descriptor("moody", "0.1.0", "Delivers, but not gladly.", KPS_DIRECTIONS_EGRESS);

}  // namespace

KPS_PLUGIN(MoodyConnector, kDescriptor);
