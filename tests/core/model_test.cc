// Random calls from many threads against a model: each call sees the state of some SetPayload as a whole, and never an
// older one than what it may see. KPS_MODEL_SEED repeats a run.
#include <atomic>
#include <cstdlib>
#include <random>
#include <thread>

#include "host/core/json.h"
#include "tests/core/runtime_fixture.h"

namespace kps::test {
namespace {

constexpr int kThreads = 8;
constexpr int kOperations = 40'000;  // 10,000 sequences of four
constexpr int kStreams = 6;

std::uint64_t Seed() {
  const char* text = std::getenv("KPS_MODEL_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device()();
}

// When each SetPayload began and ended, in ticks of one clock for all threads. A reader may see the state of one that
// began before the read ended, unless another one began after that had ended, and had ended itself before the read
// began.
class History {
 public:
  struct Set {
    std::uint64_t began = 0;
    std::uint64_t ended = 0;  // 0: not yet
    bool valid = true;
  };

  // A SetPayload that is not `valid` is refused: nobody may ever see its state.
  int Begin(bool valid) {
    const std::lock_guard<std::mutex> lock(mutex_);
    sets_.push_back({++clock_, 0, valid});
    return static_cast<int>(sets_.size()) - 1;
  }
  void End(int generation) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Set& set = sets_[static_cast<std::size_t>(generation)];
    set.ended = ++clock_;
    newest_ended_began_ = std::max(newest_ended_began_, set.began);
  }
  // Generations that ended before this are too old to be seen from now on.
  std::uint64_t OldestVisible() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return newest_ended_began_;
  }
  bool MayBeSeen(int generation, std::uint64_t oldest_visible) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (generation < 0 || generation >= static_cast<int>(sets_.size())) return false;
    const Set& set = sets_[static_cast<std::size_t>(generation)];
    return set.valid && (set.ended == 0 || set.ended >= oldest_visible);
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t clock_ = 0;
  std::uint64_t newest_ended_began_ = 0;
  std::vector<Set> sets_;
};

class Model : public RuntimeTest {
 public:
  Model() {
    // Some configs are refused, some need a new connector.
    world_.configure = [](const std::string& json) -> Result<ConfigureOutcome> {
      if (json.find("\"refuse\"") != std::string::npos) return Error(Code::kInvalidArgument, "refused");
      const auto members = ParseJsonObject(json).value();
      return std::stoi(members.at("generation")) % 16 == 0 ? ConfigureOutcome::kRecreate : ConfigureOutcome::kApplied;
    };
    initial_ = SetGeneration(0b111, true);
  }

  // Streams and config that all say the generation, and which streams there are.
  int SetGeneration(unsigned mask, bool valid) {
    const int generation = history_.Begin(valid);
    const std::string mark = std::to_string(generation);
    std::vector<StreamSpec> streams;
    for (int i = 0; i < kStreams; ++i) {
      if ((mask >> i & 1) == 0) continue;
      const std::string metadata = "{\"generation\":" + mark + ",\"mask\":" + std::to_string(mask) + "}";
      streams.push_back(
          {"s" + std::to_string(i), i % 2 == 0 ? Direction::kIngress : Direction::kEgress, "c", metadata});
    }
    JsonMembers config{{"generation", mark}, {"mask", std::to_string(mask)}};
    if (!valid) config[generation % 2 == 0 ? "refuse" : "log_level"] = "\"refuse\"";
    const auto outcome = Set(std::move(streams), {config});
    EXPECT_EQ(outcome.error.ok(), valid) << outcome.error.ToString();
    if (valid) history_.End(generation);
    return generation;
  }

  void CheckStreams(std::uint64_t oldest_visible) {
    const auto views = runtime_->Streams();
    if (views.empty()) return;  // says nothing about its generation
    const auto first = ParseJsonObject(views[0].stream.metadata_json).value();
    std::set<std::string> ids;
    for (const auto& view : views) {
      ids.insert(view.stream.id);
      EXPECT_EQ(ParseJsonObject(view.stream.metadata_json).value(), first) << "half of another SetPayload";
    }
    std::set<std::string> expected;
    for (int i = 0; i < kStreams; ++i) {
      if ((std::stoi(first.at("mask")) >> i & 1) != 0) expected.insert("s" + std::to_string(i));
    }
    EXPECT_EQ(ids, expected);
    EXPECT_TRUE(history_.MayBeSeen(std::stoi(first.at("generation")), oldest_visible)) << first.at("generation");
  }

  void CheckConfig(std::uint64_t oldest_visible) {
    const JsonMembers config = runtime_->Config();
    ASSERT_EQ(config.size(), 2u);
    EXPECT_TRUE(history_.MayBeSeen(std::stoi(config.at("generation")), oldest_visible)) << config.at("generation");
  }

  void CheckEvents() {
    std::set<std::tuple<EventKind, std::string, std::string>> seen;
    for (const Event& event : runtime_->Events()) {
      EXPECT_TRUE(seen.emplace(event.kind, event.id, event.stream_id).second) << "only the latest one is shown";
      EXPECT_EQ(event.stream_id[0], 's');
      EXPECT_GT(event.created_at_ns, 0);
    }
  }

  void Work(std::uint64_t seed, std::atomic<int>* left) {
    std::mt19937_64 random(seed);
    const auto chance = [&](std::uint64_t one_in) { return random() % one_in == 0; };
    while (left->fetch_sub(1) > 0) {
      const std::uint64_t oldest_visible = history_.OldestVisible();
      switch (random() % 4) {
        case 0: SetGeneration(static_cast<unsigned>(random() % (1u << kStreams)), !chance(5)); break;
        case 1: CheckStreams(oldest_visible); break;
        case 2: CheckConfig(oldest_visible); break;
        case 3: CheckEvents(); break;
      }
    }
  }

  History history_;
  int initial_ = 0;
};

TEST_F(Model, EachCallSeesAWholeState) {
  const std::uint64_t seed = Seed();
  RecordProperty("seed", std::to_string(seed));
  std::printf("KPS_MODEL_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::atomic<int> left{kOperations};
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < kThreads; ++i) threads.emplace_back([&, i] { Work(seed + i, &left); });
  for (std::thread& thread : threads) thread.join();

  // What was set last is what runs in the end, on the newest connector, and all the rest is gone.
  const int last = SetGeneration((1u << kStreams) - 1, true);
  EXPECT_TRUE(Eventually([&] { return Subscribed(); }));
  EXPECT_EQ(runtime_->Config().at("generation"), std::to_string(last));
  EXPECT_EQ(runtime_->Streams().size(), static_cast<std::size_t>(kStreams));
  EXPECT_TRUE(Eventually([&] {
    return world_.Do([&] {
      for (const auto& [id, count] : world_.instances_alive) {
        if (count != 1) return false;
      }
      return world_.connectors_alive.size() == 1;
    });
  }));
  ASSERT_TRUE(Set({}).error.ok());
  EXPECT_TRUE(runtime_->Events().empty());
  runtime_->Shutdown();
  EXPECT_TRUE(runtime_->Events().empty());
  EXPECT_TRUE(world_.Do([&] { return world_.connectors_alive.empty(); }));
}

}  // namespace
}  // namespace kps::test
