// /metrics, /livez and /readyz, asked over HTTP.
#include "host/metrics/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "host/core/mutex.h"
#include "tests/metrics/http_get.h"
#include "tests/support/eventually.h"

namespace kps {
namespace {

using std::chrono::steady_clock;
using test::HttpGet;
using test::HttpRequest;
using testing::HasSubstr;

class OneGauge : public MetricsSource {
 public:
  std::vector<MetricFamily> Collect() const override {
    return {{"kps_calls", "Calls.", MetricType::kGauge, {{{}, static_cast<double>(++calls_), {}}}}};
  }

 private:
  mutable std::atomic<int> calls_{0};
};

// Collect() does not return before Open().
class Gate : public MetricsSource {
 public:
  std::vector<MetricFamily> Collect() const override {
    ++waiting;
    MutexLock lock(mutex_);
    while (!open_) opened_.Wait(mutex_);
    return {};
  }
  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    opened_.NotifyAll();
  }
  mutable std::atomic<int> waiting{0};

 private:
  mutable Mutex mutex_;
  mutable CondVar opened_;
  bool open_ KPS_GUARDED_BY(mutex_) = false;
};

class HttpServerTest : public testing::Test {
 protected:
  std::unique_ptr<HttpServer> Start(const MetricsSource* source, const std::string& address = "127.0.0.1:0") {
    auto server = HttpServer::Start(address, {source, [this] { return std::string(ready_ ? "" : "no broker"); }});
    EXPECT_TRUE(server.ok()) << server.error().ToString();
    return server.ok() ? std::move(server.value()) : nullptr;
  }
  static std::string Url(const HttpServer& server, const std::string& path) {
    return "http://" + server.address() + path;
  }

  OneGauge gauge_;
  std::atomic<bool> ready_{true};
};

// A machine may be without /etc/hosts.
bool KnowsLocalhost() {
  addrinfo* found = nullptr;
  if (::getaddrinfo("localhost", nullptr, nullptr, &found) != 0) return false;
  ::freeaddrinfo(found);
  return true;
}

TEST_F(HttpServerTest, ServesMetricsAsPrometheusText) {
  const auto server = Start(&gauge_);
  const auto answer = HttpGet(Url(*server, "/metrics"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(answer.body, "# HELP kps_calls Calls.\n# TYPE kps_calls gauge\nkps_calls 1\n");
  EXPECT_THAT(HttpGet(Url(*server, "/metrics?x=1")).body, HasSubstr("kps_calls 2\n"));
}

TEST_F(HttpServerTest, IsReadyOnlyWhenItsOwnerSaysSoAndAliveAnyway) {
  const auto server = Start(&gauge_);
  EXPECT_EQ(HttpGet(Url(*server, "/readyz")).status, 200);
  ready_ = false;
  const auto answer = HttpGet(Url(*server, "/readyz"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "not ready: no broker\n");
  EXPECT_EQ(HttpGet(Url(*server, "/livez")).status, 200);
  ready_ = true;
  EXPECT_EQ(HttpGet(Url(*server, "/readyz")).body, "ready\n");
}

TEST_F(HttpServerTest, AnswersAHeadWithoutABody) {
  const auto server = Start(&gauge_);
  const auto answer = HttpRequest("HEAD", Url(*server, "/livez"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
}

TEST_F(HttpServerTest, RefusesWhatItDoesNotServe) {
  const auto server = Start(&gauge_);
  for (const char* path : {"/", "/metrics/", "/metricsx", "/livez/x", "/etc/passwd", "/../../etc/passwd"}) {
    const auto answer = HttpGet(Url(*server, path));
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_THAT(answer.body, HasSubstr("/metrics, /livez and /readyz")) << path;
  }
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
    EXPECT_EQ(HttpRequest(method, Url(*server, "/metrics")).status, 405) << method;
  }
}

TEST_F(HttpServerTest, SaysWhyAnAddressCannotBeServedOn) {
  const auto first = Start(&gauge_);
  const auto second = HttpServer::Start(first->address(), {&gauge_, [] { return std::string(); }});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  EXPECT_THAT(second.error().message(), HasSubstr(first->address()));
  EXPECT_THAT(second.error().message(), HasSubstr("Address already in use"));
  EXPECT_EQ(HttpGet(Url(*first, "/livez")).status, 200);
}

TEST_F(HttpServerTest, SaysWhatAnAddressIs) {
  for (const char* address : {"", "9090", ":9090", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
                              "127.0.0.1:-1", "127.0.0.1:90s", "127.0.0.1:1,127.0.0.1:2", "[::1]:0", "a b:1"}) {
    const auto server = HttpServer::Start(address, {&gauge_, [] { return std::string(); }});
    ASSERT_FALSE(server.ok()) << address;
    EXPECT_EQ(server.error().code(), Code::kInvalidArgument) << address;
    EXPECT_THAT(server.error().message(), HasSubstr("\"" + std::string(address) + "\"")) << address;
  }
}

TEST_F(HttpServerTest, TakesANameAndEveryAddressOfTheMachine) {
  if (KnowsLocalhost()) {
    EXPECT_EQ(HttpGet(Url(*Start(&gauge_, "localhost:0"), "/livez")).status, 200);
  }
  EXPECT_EQ(HttpGet(Url(*Start(&gauge_, "0.0.0.0:0"), "/livez")).status, 200);
}

TEST_F(HttpServerTest, EndsAtOnceAndIsGone) {
  std::vector<const char*> addresses{"127.0.0.1:0", "0.0.0.0:0"};
  if (KnowsLocalhost()) addresses.push_back("localhost:0");
  for (const char* address : addresses) {
    auto server = Start(&gauge_, address);
    const std::string url = Url(*server, "/livez");
    ASSERT_EQ(HttpGet(url).status, 200);
    const auto start = steady_clock::now();
    server.reset();
    EXPECT_LT(steady_clock::now() - start, std::chrono::seconds(1)) << address;
    EXPECT_EQ(HttpGet(url).status, 0);
  }
}

TEST_F(HttpServerTest, AnswersProbesWhileTheFiguresAreNotToBeHad) {
  Gate gate;
  const auto server = Start(&gate);
  std::atomic<int> scraped{0};
  std::vector<std::thread> scrapes;
  for (int i = 0; i < 3; ++i) {
    scrapes.emplace_back([&] { scraped += HttpGet(Url(*server, "/metrics")).status == 200; });
  }
  EXPECT_TRUE(test::Eventually([&] { return gate.waiting == 3; }));
  const auto refused = HttpGet(Url(*server, "/metrics"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.body, "Too many scrapes at a time.\n");
  EXPECT_EQ(HttpGet(Url(*server, "/livez")).status, 200);
  EXPECT_EQ(HttpGet(Url(*server, "/readyz")).status, 200);
  gate.Open();
  for (std::thread& scrape : scrapes) scrape.join();
  EXPECT_EQ(scraped, 3);
  EXPECT_EQ(HttpGet(Url(*server, "/metrics")).status, 200);
}

TEST_F(HttpServerTest, ServesSeveralAtATime) {
  const auto server = Start(&gauge_);
  std::atomic<int> answered{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back([&] {
      for (int j = 0; j < 20; ++j) answered += HttpGet(Url(*server, "/metrics")).status == 200;
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered, 60);
}

}  // namespace
}  // namespace kps
