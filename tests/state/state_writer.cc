// Writes to a state directory until it is killed, and says what was reported as safe: state_writer DIRECTORY
// It goes on with the numbers that are there. Lines: "pid N", then "#I ..." with I counting from 1:
//   "#I desired N"      SaveDesired has returned for number N
//   "#I position ID N"  stored() has reached the resume point N of that stream
#include <unistd.h>

#include <cstdio>
#include <deque>
#include <string>

#include "host/state/state_dir.h"

namespace {

class Silent : public kps::StateStoreListener {
 public:
  void OnStateStore(const kps::Error& error) override { std::fprintf(stderr, "%s\n", error.ToString().c_str()); }
};

struct Open {
  std::uint64_t number;
  std::string id;
  std::uint64_t count;
};

// The source of "changing" is another one with each save; its resume points name it.
kps::StreamMap Streams(std::uint64_t save) {
  const std::string source = "{\"source\":" + std::to_string(save) + "}";
  return {{"a", {"a", kps::Direction::kIngress, "c", "{}"}},
          {"b", {"b", kps::Direction::kIngress, "c", "{}"}},
          {"changing", {"changing", kps::Direction::kIngress, "c", source}}};
}

}  // namespace

int main(int, char** arguments) {
  std::setvbuf(stdout, nullptr, _IONBF, 0);  // one write(2) a line
  std::printf("pid %ld\n", static_cast<long>(getpid()));
  Silent listener;
  auto store = kps::OpenStateDir(arguments[1], {"crash", std::chrono::milliseconds(0)}, &listener);
  kps::SavedState state;
  if (!store.ok() || !store.value()->Load(&state).ok()) return 1;
  std::uint64_t save = state.config.contains("save") ? std::stoull(state.config["save"]) : 0;
  std::uint64_t count = state.resume_points.contains("a") ? state.resume_points["a"].message_count : 0;
  unsigned line = 0;
  std::deque<Open> open;
  for (;; ++count) {
    if (count % 64 == 0 || save == 0 || line == 0) {
      ++save;
      if (!store.value()->SaveDesired(Streams(save), {{"save", std::to_string(save)}}).ok()) return 1;
      std::printf("#%u desired %llu\n", ++line, static_cast<unsigned long long>(save));
    }
    const std::string run = "run-" + std::to_string(save);
    store.value()->PutResumePoint("changing", std::to_string(save), run, count);
    for (const char* id : {"a", "b"}) {
      open.push_back({store.value()->PutResumePoint(id, std::string(count % 100, 'p'), run, count), id, count});
    }
    // One in flight: each round sees a write, so that reports and kills meet every moment of one.
    while (store.value()->stored() < open.front().number) usleep(50);
    while (!open.empty() && open.front().number <= store.value()->stored()) {
      std::printf("#%u position %s %llu\n", ++line, open.front().id.c_str(),
                  static_cast<unsigned long long>(open.front().count));
      open.pop_front();
    }
  }
}
