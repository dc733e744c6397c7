// Pushes to a real prometheus-pushgateway: there, away, back, and hanging.
#include "host/metrics/pushgateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "host/core/mutex.h"
#include "tests/metrics/http_get.h"
#include "tests/metrics/pushgateway_process.h"
#include "tests/support/eventually.h"

namespace kps {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using test::Eventually;
using test::PushgatewayProcess;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Source : public MetricsSource {
 public:
  std::vector<MetricFamily> Collect() const override {
    ++collected;
    return {{"things", "Things.", MetricType::kCounter, {{{}, static_cast<double>(things), {}}}}};
  }
  std::atomic<int> things{0};
  mutable std::atomic<int> collected{0};
};

class Lines : public Logger {
 public:
  void Log(LogLevel level, std::string_view, std::string_view text) override {
    MutexLock lock(mutex_);
    lines_.push_back((level == LogLevel::kWarn ? "WARN " : "INFO ") + std::string(text));
  }
  std::vector<std::string> All() const {
    MutexLock lock(mutex_);
    return lines_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> lines_ KPS_GUARDED_BY(mutex_);
};

class PushgatewayTest : public testing::Test {
 protected:
  std::unique_ptr<Pushgateway> Start(const std::string& address, milliseconds interval = milliseconds(20)) {
    Pushgateway::Options options;
    options.address = address;
    options.job = "a_job";
    options.interval = interval;
    options.last_timeout = milliseconds(500);
    auto pushgateway = Pushgateway::Start(options, &source_, &log_);
    EXPECT_TRUE(pushgateway.ok()) << pushgateway.error().ToString();
    return pushgateway.ok() ? std::move(pushgateway.value()) : nullptr;
  }
  static bool Shows(const PushgatewayProcess& gateway, int things) {
    return gateway.Metrics().find("\nthings{instance=\"\",job=\"a_job\"} " + std::to_string(things) + "\n") !=
           std::string::npos;
  }

  Source source_;
  Lines log_;
};

TEST_F(PushgatewayTest, GetsTheFiguresAtOnceAndAtEachInterval) {
  PushgatewayProcess gateway;
  ASSERT_NE(gateway.address(), "");
  source_.things = 1;
  const auto pushing = Start(gateway.address());
  ASSERT_TRUE(Eventually([&] { return Shows(gateway, 1); })) << gateway.Metrics();
  EXPECT_THAT(gateway.Metrics(), HasSubstr("# TYPE things counter\n"));
  source_.things = 2;
  EXPECT_TRUE(Eventually([&] { return Shows(gateway, 2); })) << gateway.Metrics();
  EXPECT_THAT(log_.All(), ElementsAre("INFO Pushgateway http://" + gateway.address() + "/: metrics are pushed"));
}

TEST_F(PushgatewayTest, GetsTheLastFiguresAtTheEnd) {
  PushgatewayProcess gateway;
  auto pushing = Start("http://" + gateway.address() + "/", std::chrono::hours(1));
  ASSERT_TRUE(Eventually([&] { return Shows(gateway, 0); })) << gateway.Metrics();
  source_.things = 3;
  pushing.reset();
  EXPECT_TRUE(Shows(gateway, 3)) << gateway.Metrics();
}

TEST_F(PushgatewayTest, ThatIsAwayCostsOneLineAndOneWhenItIsBack) {
  auto gateway = std::make_unique<PushgatewayProcess>();
  const int port = gateway->port();
  const std::string address = gateway->address();
  gateway.reset();
  const auto pushing = Start(address);
  ASSERT_TRUE(Eventually([&] { return source_.collected >= 5; }));
  EXPECT_THAT(log_.All(), ElementsAre(AllOf(HasSubstr("WARN Pushgateway http://" + address + "/: "),
                                            HasSubstr("onnect to"), HasSubstr("trying again"))));
  gateway = std::make_unique<PushgatewayProcess>(port);
  ASSERT_TRUE(Eventually([&] { return Shows(*gateway, 0); }));
  gateway.reset();
  ASSERT_TRUE(Eventually([&] { return log_.All().size() >= 3; }));
  EXPECT_THAT(log_.All(), ElementsAre(HasSubstr("WARN"), HasSubstr("INFO"), HasSubstr("WARN")));
}

TEST_F(PushgatewayTest, ThatDoesNotTakeThemIsQuoted) {
  PushgatewayProcess gateway;
  const auto pushing = Start(gateway.address() + "/nowhere");
  ASSERT_TRUE(Eventually([&] { return !log_.All().empty(); }));
  EXPECT_THAT(log_.All()[0], AllOf(HasSubstr("WARN"), HasSubstr("it answers 404 404 page not found;")));
}

TEST_F(PushgatewayTest, ThatHangsHoldsNobodyUp) {
  const test::SilentPort port;
  auto pushing = Start("127.0.0.1:" + std::to_string(port.port()));
  ASSERT_TRUE(Eventually([&] { return source_.collected == 1; }));
  const auto start = steady_clock::now();
  pushing.reset();
  // At most a second until the push under way is given up, and 500 ms for the last one.
  EXPECT_LT(steady_clock::now() - start, milliseconds(3000));
  EXPECT_EQ(source_.collected, 2);
  EXPECT_THAT(log_.All(), ElementsAre(AllOf(HasSubstr("WARN"), HasSubstr("timed out"))));
}

TEST_F(PushgatewayTest, KeepsAPasswordOutOfTheLog) {
  PushgatewayProcess gateway;
  const auto pushing = Start("http://somebody:secret@" + gateway.address());
  ASSERT_TRUE(Eventually([&] { return !log_.All().empty(); }));
  EXPECT_THAT(log_.All()[0], Not(HasSubstr("secret")));
  EXPECT_TRUE(Shows(gateway, 0));
}

TEST_F(PushgatewayTest, NeedsAnAddressThatIsOne) {
  for (const char* address : {"", "ftp://a:1", "file:///etc/passwd", "a b:9091", "host:port", "http://", "a:70000"}) {
    Pushgateway::Options options;
    options.address = address;
    const auto pushgateway = Pushgateway::Start(options, &source_, &log_);
    ASSERT_FALSE(pushgateway.ok()) << address;
    EXPECT_EQ(pushgateway.error().code(), Code::kInvalidArgument) << address;
    EXPECT_THAT(pushgateway.error().message(), HasSubstr("\"" + std::string(address) + "\"")) << address;
  }
}

}  // namespace
}  // namespace kps
