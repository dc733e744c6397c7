// INGRESS, webhook: a second consumer takes the port over while senders go on; and the library comes and goes.
#include <dlfcn.h>
#include <netdb.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <string_view>
#include <thread>

#include "http_webhook_fixture.h"

namespace kps::testing {
namespace {

constexpr char kSlowName[] = "slow.invalid";
std::atomic<int> slow_lookups{0};  // of that name, that are under way

// Senders that repeat each message until it is answered 200, as those of a webhook do.
class Senders {
 public:
  Senders(std::string url, int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this, url, i] { run(url, std::to_string(i)); });
  }
  ~Senders() { stop(); }
  void stop() {
    stopping_ = true;
    for (std::thread& thread : threads_)
      if (thread.joinable()) thread.join();
  }
  int accepted() const { return accepted_; }
  int cut_off() const { return cut_off_; }
  std::set<std::string> messages() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return messages_;
  }

 private:
  void run(const std::string& url, const std::string& name) {
    HttpSender sender(url);
    for (int i = 0; !stopping_; ++i) {
      const std::string message = name + "-" + std::to_string(i);
      long status = 0;
      while (status != 200 && !stopping_) {
        status = sender.send(message).status;
        if (status == 0) ++cut_off_;
      }
      if (status != 200) return;
      ++accepted_;
      const std::lock_guard<std::mutex> lock(mutex_);
      messages_.insert(message);
    }
  }

  std::atomic<bool> stopping_{false};
  std::atomic<int> accepted_{0};
  std::atomic<int> cut_off_{0};
  std::mutex mutex_;
  std::set<std::string> messages_;  // that were answered 200
  std::vector<std::thread> threads_;
};

class HttpTakeover : public HttpWebhook {
 protected:
  void pump(Consumer& consumer, uint32_t timeout_ms = 5) {
    for (std::string& message : consumer.next(timeout_ms)) received.insert(std::move(message));
    consumer.ack();
  }

  std::set<std::string> received;
};

TEST_F(HttpTakeover, NothingThatWasAnsweredIsLost) {
  auto old = std::make_unique<Consumer>(plugin, metadata());
  const std::string listen = address();
  Senders senders("http://" + listen + "/", 8);
  for (int swap = 1; swap <= 5; ++swap) {
    ASSERT_TRUE(Eventually([&] {
      pump(*old);
      return senders.accepted() > 400 * swap;
    }));
    // As a host does: the new one is made, the old one is asked for what is left, then it goes.
    auto next = std::make_unique<Consumer>(plugin, metadata("", listen));
    EXPECT_EQ(address(), listen);
    pump(*old, 0);
    old = std::move(next);
  }
  ASSERT_TRUE(Eventually([&] {
    pump(*old);
    return senders.accepted() > 2400;
  }));
  std::thread stopper([&] { senders.stop(); });
  std::atomic<bool> stopped{false};
  std::thread waiter([&] {
    stopper.join();
    stopped = true;
  });
  while (!stopped) pump(*old);
  waiter.join();
  for (const std::string& message : senders.messages()) ASSERT_EQ(received.count(message), 1u) << message;
  RecordProperty("connections_cut_off", senders.cut_off());
}

TEST_F(HttpTakeover, AfterTheOldOneTheNewOneHasThePortAlone) {
  auto old = std::make_unique<Consumer>(plugin, metadata());
  const std::string listen = address();
  Consumer next(plugin, metadata("", listen));
  old.reset();
  for (int i = 0; i < 20; ++i) {
    auto result = send(std::to_string(i));
    ASSERT_EQ(next.collect(1), Lines{std::to_string(i)});
    next.ack();
    EXPECT_EQ(result.get().status, 200);
  }
}

TEST_F(HttpTakeover, NobodyIsToldThatAMessageIsSafeWhenTheStreamEnds) {
  auto old = std::make_unique<Consumer>(plugin, metadata());
  std::vector<std::future<HttpResult>> results;
  for (int i = 0; i < 50; ++i) results.push_back(send("x"));
  ASSERT_FALSE(old->collect(1).empty());
  old.reset();
  for (auto& result : results) {
    const long status = result.get().status;
    // Whoever came too late was refused; nobody was told that the message is safe.
    EXPECT_TRUE(status == 503 || status == 0) << status;
  }
}

TEST(HttpLibrary, ComesAndGoesBesideAnotherUserOfCurl) {
  Directory directory;
  HttpServer server;
  HttpSender host(server.url());
  EXPECT_EQ(host.send("x").status, 200);
  for (int i = 0; i < 20; ++i) {
    Plugin plugin("http");
    Consumer webhook(plugin, "{\"listen\":\"127.0.0.1:0\"}");
    Consumer poll(plugin, "{\"url\":\"" + server.url() + "\"}");
    Producer producer(plugin, "{\"url\":\"" + server.url() + "\"}");
    EXPECT_EQ(producer.produce({"x"}), 1u) << producer.last_text;
    EXPECT_EQ(poll.collect(1), Lines{""});
    EXPECT_EQ(host.send("x").status, 200);
  }
  EXPECT_EQ(host.send("x").status, 200);
}

// libcurl looks names up on a thread of its own, which must have ended when the plugin is unloaded.
TEST(HttpLibrary, WaitsForANameThatIsStillBeingLookedUp) {
  for (int i = 0; i < 5; ++i) {
    {
      Plugin plugin("http");
      Producer producer(plugin, std::string("{\"url\":\"http://") + kSlowName + "/\"}");
      EXPECT_EQ(producer.produce({"x"}, 0), 0u);
      ASSERT_TRUE(test::Eventually([] { return slow_lookups > 0; }));
    }
    EXPECT_EQ(slow_lookups, 0);
  }
}

}  // namespace
}  // namespace kps::testing

// In place of the system's, for the whole program.
int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
  using namespace kps::testing;
  if (name != nullptr && std::string_view(name) == kSlowName) {
    ++slow_lookups;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // what a name server takes
    --slow_lookups;
    return EAI_NONAME;
  }
  static const auto real = reinterpret_cast<decltype(&getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(name, service, hints, found);
}
