// INGRESS, polling: what is a message, and what a position keeps.
#include <atomic>
#include <future>

#include "http_fixture.h"

namespace kps::testing {
namespace {

class HttpPoll : public Http {
 protected:
  std::string metadata(const std::string& more = "", const std::string& path = "/state") const {
    return "{\"url\":\"" + server.url(path) + "\",\"intervalMs\":10" + more + "}";
  }
  // A resource with both validators, as a good server has it.
  HttpServer::Script resource(std::string body, std::string etag) {
    return [this, body, etag](const HttpRequest& request) -> HttpReply {
      if (request.header("if-none-match") == etag) {
        ++not_modified;
        return {304, "", {{"ETag", etag}}};
      }
      return {200, body, {{"ETag", etag}, {"Last-Modified", "Sun, 01 Mar 2026 10:00:00 GMT"}}};
    };
  }
  void poll_on(Consumer& consumer, size_t requests) {
    const size_t before = server.requests().size();
    EXPECT_TRUE(Eventually([&] {
      EXPECT_EQ(consumer.next(20), Lines{});
      return server.requests().size() >= before + requests;
    }));
  }

  std::atomic<int> not_modified{0};
  HttpServer server;
};

TEST_F(HttpPoll, AnotherBodyIsAMessageAndTheSameIsNone) {
  server.set_script(resource("one", "\"1\""));
  Consumer consumer(plugin, metadata());
  EXPECT_EQ(consumer.collect(1), Lines{"one"});
  poll_on(consumer, 3);
  EXPECT_GE(not_modified, 2);
  EXPECT_EQ(server.requests().back().header("if-modified-since"), "Sun, 01 Mar 2026 10:00:00 GMT");
  EXPECT_EQ(server.requests().back().method, "GET");
  server.set_script(resource("two", "\"2\""));
  EXPECT_EQ(consumer.collect(1), Lines{"two"});
}

TEST_F(HttpPoll, WithoutValidatorsTheBodiesAreCompared) {
  server.set_script([](const HttpRequest&) { return HttpReply{200, "same", {}}; });
  Consumer consumer(plugin, metadata());
  EXPECT_EQ(consumer.collect(1), Lines{"same"});
  poll_on(consumer, 3);
  EXPECT_EQ(server.requests().back().header("if-none-match"), "");
}

TEST_F(HttpPoll, BodiesAreAnyBytesOfAnySize) {
  Consumer consumer(plugin, metadata());
  for (const size_t size : {0, 1, 256, 256 << 10}) {
    server.set_script([size](const HttpRequest&) { return HttpReply{200, every_byte(size), {}}; });
    EXPECT_EQ(consumer.collect(1), Lines{every_byte(size)}) << size;
  }
}

TEST_F(HttpPoll, NoContentIsNoMessage) {
  server.set_script([](const HttpRequest&) { return HttpReply{204, "", {}}; });
  Consumer consumer(plugin, metadata());
  poll_on(consumer, 3);
}

TEST_F(HttpPoll, APositionGoesOnAfterWhatWasRead) {
  server.set_script(resource("one", "\"1\""));
  std::string position;
  {
    Consumer first(plugin, metadata());
    EXPECT_EQ(first.collect(1), Lines{"one"});
    position = first.position;
  }
  Consumer second(plugin, metadata(), position);
  poll_on(second, 2);
  EXPECT_GE(not_modified, 2);
  // A server that knows its validator no more: the hash of the body tells.
  server.set_script(resource("one", "\"new\""));
  Consumer third(plugin, metadata(), position);
  poll_on(third, 2);
  server.set_script(resource("two", "\"2\""));
  EXPECT_EQ(third.collect(1), Lines{"two"});
}

TEST_F(HttpPoll, ThePositionOfAnotherAddressIsNotUsed) {
  server.set_script(resource("one", "\"1\""));
  Consumer first(plugin, metadata());
  EXPECT_EQ(first.collect(1), Lines{"one"});
  Consumer other(plugin, metadata("", "/other"), first.position);
  EXPECT_EQ(other.collect(1), Lines{"one"});
}

TEST_F(HttpPoll, AValidatorThatIsTooLongForAPositionIsLeftOut) {
  server.set_script(resource("one", "\"" + std::string(5000, 'x') + "\""));
  Consumer first(plugin, metadata());
  EXPECT_EQ(first.collect(1), Lines{"one"});
  EXPECT_LE(first.position.size(), size_t{KPS_POSITION_SIZE_MAX});
  Consumer second(plugin, metadata(), first.position);
  poll_on(second, 2);
}

TEST_F(HttpPoll, AForeignPositionIsDataLoss) {
  server.set_script(resource("one", "\"1\""));
  Consumer consumer(plugin, metadata());
  consumer.collect(1);
  const std::string good = consumer.position;
  for (const std::string& bad : {std::string("v2 x"), good + "x", good + "\n", good.substr(1),
                                 good.substr(0, good.size() - 1), "v1 " + std::string(good.size() - 3, 'g')}) {
    EXPECT_EQ(error_of([&] { Consumer(plugin, metadata(), bad); }).code, KPS_DATA_LOSS) << bad;
  }
}

TEST_F(HttpPoll, TheAnswerDecidesWhoHasToAct) {
  const std::pair<unsigned, kps_code> expected[] = {{301, KPS_FAILED_PRECONDITION}, {400, KPS_FAILED_PRECONDITION},
                                                    {401, KPS_UNAUTHENTICATED},     {403, KPS_PERMISSION_DENIED},
                                                    {404, KPS_NOT_FOUND},           {429, KPS_RESOURCE_EXHAUSTED},
                                                    {503, KPS_UNAVAILABLE}};
  for (const auto& [status, code] : expected) {
    server.set_script([status = status](const HttpRequest&) {
      return HttpReply{status, "why", {{"Retry-After", "3"}}};
    });
    Consumer consumer(plugin, metadata());
    const Error error = failure_of_next(consumer);
    EXPECT_EQ(error.code, code) << error.what();
    EXPECT_EQ(error.retry_after_ms, 3000u);
    EXPECT_EQ(std::string(error.what())
                  .find("GET " + server.url("/state") + ": the answer is " + std::to_string(status) + " (why): "),
              0u)
        << error.what();
  }
}

TEST_F(HttpPoll, AfterAFailureTheSameConsumerGoesOn) {
  server.stop();
  Consumer consumer(plugin, metadata());
  EXPECT_EQ(failure_of_next(consumer).code, KPS_UNAVAILABLE);
  server.set_script(resource("one", "\"1\""));
  server.start();
  EXPECT_EQ(consumer.collect(1), Lines{"one"});
}

TEST_F(HttpPoll, ABodyThatIsTooLargeIsAFailureUntilItIsNot) {
  server.set_script([](const HttpRequest&) { return HttpReply{200, "12345", {}}; });
  Consumer consumer(plugin, metadata(",\"bodyBytesMax\":4"));
  const Error error = failure_of_next(consumer);
  EXPECT_EQ(error.code, KPS_RESOURCE_EXHAUSTED);
  EXPECT_NE(std::string(error.what()).find("more than 4 bytes: set \"bodyBytesMax\" to more"), std::string::npos);
  server.set_script([](const HttpRequest&) { return HttpReply{200, "1234", {}}; });
  EXPECT_EQ(consumer.collect(1), Lines{"1234"});
}

TEST_F(HttpPoll, CallsReturnAtTheirTimeoutWhileARequestHangs) {
  server.hold();
  Consumer consumer(plugin, metadata());
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(consumer.next(100), Lines{});
  EXPECT_GE(elapsed(begin).count(), 100);
  EXPECT_LT(elapsed(begin).count(), 1000);
  server.set_script(resource("late", "\"1\""));
  server.release();
  EXPECT_EQ(consumer.collect(1), Lines{"late"});
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(HttpPoll, WakeEndsTheWaitForAnAnswerAndForTheInterval) {
  server.hold();
  Consumer consumer(plugin, "{\"url\":\"" + server.url() + "\"}");
  auto hanging = std::async(std::launch::async, [&] { return consumer.next(20000); });
  ASSERT_TRUE(Eventually([&] { return server.requests().size() == 1; }));
  auto begin = std::chrono::steady_clock::now();
  consumer.wake();
  EXPECT_EQ(hanging.get(), Lines{});
  EXPECT_LT(elapsed(begin).count(), 1000);
  begin = std::chrono::steady_clock::now();
  EXPECT_EQ(consumer.next(20000), Lines{});  // it is still awake
  EXPECT_LT(elapsed(begin).count(), 1000);
}

TEST_F(HttpPoll, CredentialsAndHeadersAreSentAndInNoPosition) {
  server.set_script(resource("one", "\"1\""));
  Consumer consumer(plugin, metadata(",\"headers\":{\"X-One\":\"1\"},\"tokenFile\":\"" + secret_file() + "\""));
  EXPECT_EQ(consumer.collect(1), Lines{"one"});
  EXPECT_EQ(server.requests()[0].header("authorization"), std::string("Bearer ") + kSecretText);
  EXPECT_EQ(server.requests()[0].header("x-one"), "1");
  EXPECT_EQ(consumer.position.find(kSecretText), std::string::npos);
}

}  // namespace
}  // namespace kps::testing
