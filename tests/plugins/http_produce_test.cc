// EGRESS: what the server gets, and what its answers mean.
#include <atomic>
#include <ctime>
#include <future>
#include <thread>

#include "http_fixture.h"

namespace kps::testing {
namespace {

class HttpProduce : public Http {
 protected:
  std::string metadata(const std::string& more = "") const {
    return "{\"url\":\"" + server.url("/in") + "\"" + more + "}";
  }
  Lines bodies() const {
    Lines all;
    for (const HttpRequest& request : server.requests()) all.push_back(request.body);
    return all;
  }
  // Offers until all are taken, as a host does.
  static void deliver(Producer& producer, Lines left) {
    const bool all = Eventually([&] {
      const size_t taken = producer.produce(left, 50);
      left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(taken));
      return left.empty();
    });
    EXPECT_TRUE(all) << producer.last_text;
  }
  static HttpServer::Script always(unsigned status, HttpReply reply = {}) {
    reply.status = status;
    return [reply](const HttpRequest&) { return reply; };
  }

  HttpServer server;
};

TEST_F(HttpProduce, EachMessageIsARequestOfAnyBytesOverOneConnection) {
  Producer producer(plugin, metadata());
  const Lines payloads{"", "a", every_byte(256), every_byte(256 << 10)};
  EXPECT_EQ(producer.produce(payloads), 4u);
  producer.flush();
  EXPECT_EQ(bodies(), payloads);
  EXPECT_EQ(server.connections(), 1u);
  const HttpRequest first = server.requests()[0];
  EXPECT_EQ(first.method, "POST");
  EXPECT_EQ(first.path, "/in");
  EXPECT_EQ(first.header("content-type"), "application/octet-stream");
  EXPECT_EQ(first.header("content-length"), "0");
}

TEST_F(HttpProduce, MethodTypeHeadersAndCredentialsAreThoseOfTheMetadata) {
  Producer basic(plugin, metadata(",\"method\":\"PUT\",\"contentType\":\"text/x\",\"headers\":{\"X-One\":\"1\"},"
                                  "\"username\":\"me\",\"passwordFile\":\"" +
                                  secret_file() + "\""));
  Producer bearer(plugin, metadata(",\"tokenFile\":\"" + secret_file() + "\""));
  EXPECT_EQ(basic.produce({"x"}), 1u);
  EXPECT_EQ(bearer.produce({"x"}), 1u);
  const auto requests = server.requests();
  EXPECT_EQ(requests[0].method, "PUT");
  EXPECT_EQ(requests[0].header("content-type"), "text/x");
  EXPECT_EQ(requests[0].header("x-one"), "1");
  EXPECT_EQ(requests[0].header("authorization"), "Basic bWU6czNjcmV0LVBhNTU=");
  EXPECT_EQ(requests[1].header("authorization"), std::string("Bearer ") + kSecretText);
}

TEST_F(HttpProduce, BatchesAreJsonLinesOrAnArrayOfAtMostSoMany) {
  Producer lines(plugin, metadata(",\"batch\":\"lines\",\"batchMessagesMax\":2"));
  EXPECT_EQ(lines.produce({"{\"a\":1}", "[1,\r\n2]", "3"}), 3u);
  Producer array(plugin, metadata(",\"batch\":\"array\""));
  EXPECT_EQ(array.produce({"{\"a\":1}", "1e300", "\"x\""}), 3u);
  EXPECT_EQ(bodies(), (Lines{"{\"a\":1}\n[1,  2]\n", "3\n", "[{\"a\":1},1e300,\"x\"]"}));
  EXPECT_EQ(server.requests()[0].header("content-type"), "application/x-ndjson");
  EXPECT_EQ(server.requests()[2].header("content-type"), "application/json");
}

TEST_F(HttpProduce, WhatIsNoJsonIsRefusedAloneInABatch) {
  for (const std::string& bad : {std::string("{\"a\":"), std::string(), std::string("1\0", 2), std::string("\"\xff\""),
                                 std::string("1 2"), std::string(1, '\0')}) {
    Producer producer(plugin, metadata(",\"batch\":\"array\""));
    EXPECT_EQ(producer.produce({"1", bad, "2"}), 1u);
    EXPECT_EQ(producer.last, KPS_INVALID_ARGUMENT);
    EXPECT_EQ(producer.last_text,
              "the message of " + std::to_string(bad.size()) +
                  " bytes is not JSON, which \"batch\" lines and array need: set \"batch\" to \"none\"");
    EXPECT_EQ(producer.produce({"2"}), 1u);
  }
  const std::string deep = std::string(200000, '[') + std::string(200000, ']');
  Producer producer(plugin, metadata(",\"batch\":\"array\""));
  EXPECT_EQ(producer.produce({deep}), 1u) << producer.last_text;
}

TEST_F(HttpProduce, ARefusedBatchIsSentOneByOneToFindTheWrongMessage) {
  server.set_script([](const HttpRequest& request) {
    const bool bad = request.body.find("\"bad\"") != std::string::npos;
    return bad ? HttpReply{422, "no such thing\nmore", {}} : HttpReply{};
  });
  Producer producer(plugin, metadata(",\"batch\":\"array\""));
  EXPECT_EQ(producer.produce({"1", "2", "\"bad\"", "4", "5"}), 2u);
  EXPECT_EQ(producer.last, KPS_INVALID_ARGUMENT);
  EXPECT_EQ(producer.last_text,
            "POST " + server.url("/in") + ": the answer is 422 (no such thing): the server refuses what it was sent");
  EXPECT_EQ(producer.produce({"4", "5", "6", "7"}), 4u);
  EXPECT_EQ(bodies(), (Lines{"[1,2,\"bad\",4,5]", "[1]", "[2]", "[\"bad\"]", "[4]", "[5]", "[6,7]"}));
}

TEST_F(HttpProduce, TheAnswerDecidesWhoHasToAct) {
  const std::pair<unsigned, kps_code> expected[] = {
      {400, KPS_INVALID_ARGUMENT}, {401, KPS_UNAUTHENTICATED},     {403, KPS_PERMISSION_DENIED},
      {404, KPS_NOT_FOUND},        {405, KPS_FAILED_PRECONDITION}, {408, KPS_UNAVAILABLE},
      {409, KPS_INVALID_ARGUMENT}, {413, KPS_INVALID_ARGUMENT},    {429, KPS_RESOURCE_EXHAUSTED},
      {500, KPS_UNAVAILABLE},      {503, KPS_UNAVAILABLE},         {302, KPS_FAILED_PRECONDITION}};
  Producer producer(plugin, metadata());
  for (const auto& [status, code] : expected) {
    server.set_script(always(status));
    EXPECT_EQ(producer.produce({"x"}), 0u) << status;
    EXPECT_EQ(producer.last, code) << status << producer.last_text;
    EXPECT_EQ(producer.retry_after_ms, 0u);
  }
  for (const unsigned status : {201u, 202u, 204u}) {
    server.set_script(always(status));
    EXPECT_EQ(producer.produce({"x"}), 1u) << status;
  }
}

TEST_F(HttpProduce, RetryAfterIsHonouredAndBounded) {
  Producer producer(plugin, metadata());
  server.set_script(always(429, {0, "", {{"Retry-After", "7"}}}));
  EXPECT_EQ(producer.produce({"x"}), 0u);
  EXPECT_EQ(producer.retry_after_ms, 7000u);
  server.set_script(always(503, {0, "", {{"Retry-After", "99999999"}}}));
  EXPECT_EQ(producer.produce({"x"}), 0u);
  EXPECT_EQ(producer.retry_after_ms, KPS_RETRY_AFTER_MS_MAX);
  const std::time_t in_a_minute = std::time(nullptr) + 60;
  char date[64];
  ASSERT_GT(std::strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&in_a_minute)), 0u);
  server.set_script(always(503, {0, "", {{"Retry-After", date}}}));
  EXPECT_EQ(producer.produce({"x"}), 0u);
  EXPECT_GT(producer.retry_after_ms, 30'000u) << date;
  EXPECT_LE(producer.retry_after_ms, 60'000u) << date;
}

TEST_F(HttpProduce, ARedirectIsNotFollowedAndSaysSo) {
  server.set_script(always(307, {0, "", {{"Location", "http://elsewhere/x?key=1"}}}));
  Producer producer(plugin, metadata());
  EXPECT_EQ(producer.produce({"x"}), 0u);
  EXPECT_EQ(producer.last_text, "POST " + server.url("/in") +
                                    ": the answer is 307: redirects are not followed; set \"url\" to where it points: "
                                    "http://elsewhere/x");
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(HttpProduce, AServerThatIsAwayIsTransientAtTheStartAndLater) {
  server.stop();
  Producer producer(plugin, metadata());
  EXPECT_EQ(producer.produce({"x"}), 0u);
  EXPECT_EQ(producer.last, KPS_UNAVAILABLE) << producer.last_text;
  server.start();
  EXPECT_EQ(producer.produce({"x"}), 1u) << producer.last_text;
  server.stop();
  EXPECT_EQ(producer.produce({"y"}), 0u);
  EXPECT_EQ(producer.last, KPS_UNAVAILABLE) << producer.last_text;
}

TEST_F(HttpProduce, AnAnswerThatDoesNotComeEndsTheRequestInTime) {
  server.hold();
  Producer producer(plugin, metadata(",\"timeoutMs\":150"));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(producer.produce({"x"}, 5000), 0u);
  EXPECT_GE(elapsed(begin).count(), 150);
  EXPECT_LT(elapsed(begin).count(), 2000);
  EXPECT_EQ(producer.last, KPS_DEADLINE_EXCEEDED) << producer.last_text;
}

TEST_F(HttpProduce, ASlowAnswerIsAwaitedOverSeveralCallsWithOneRequest) {
  server.hold();
  Producer producer(plugin, metadata());
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(producer.produce({"x", "y"}, 30), 0u);
  EXPECT_EQ(producer.last, KPS_OK) << producer.last_text;
  EXPECT_LT(elapsed(begin).count(), 500);
  EXPECT_TRUE(Eventually([&] { return server.requests().size() == 1; }));
  server.release();
  deliver(producer, {"x", "y"});
  EXPECT_EQ(bodies(), (Lines{"x", "y"}));
}

TEST_F(HttpProduce, OtherMessagesThanThoseInFlightAreSentThemselves) {
  server.hold();
  Producer producer(plugin, metadata());
  EXPECT_EQ(producer.produce({"x"}, 30), 0u);
  EXPECT_TRUE(Eventually([&] { return server.requests().size() == 1; }));
  server.release();
  deliver(producer, {"z"});
  EXPECT_EQ(bodies().back(), "z");
}

TEST_F(HttpProduce, WakeEndsTheWaitAndDestroyTheRequest) {
  server.hold();
  auto producer = std::make_unique<Producer>(plugin, metadata());
  auto waiting = std::async(std::launch::async, [&] { return producer->produce({"x"}, 20000); });
  ASSERT_TRUE(Eventually([&] { return server.requests().size() == 1; }));
  const auto begin = std::chrono::steady_clock::now();
  producer->wake();
  EXPECT_EQ(waiting.get(), 0u);
  EXPECT_EQ(producer->last, KPS_OK);
  producer.reset();
  EXPECT_LT(elapsed(begin).count(), 1000);
}

TEST_F(HttpProduce, NothingIsLostOverRestartsOfTheServer) {
  constexpr int kCount = 3000;
  Producer producer(plugin, metadata());
  std::atomic<bool> done{false};
  std::thread restarts([&] {
    for (int i = 0; i < 4 && !done; ++i) {
      const size_t before = server.requests().size();
      Eventually([&] { return done || server.requests().size() > before + 300; });
      server.stop();
      server.start();
    }
  });
  for (int i = 0; i < kCount; ++i) deliver(producer, {std::to_string(i)});
  done = true;
  restarts.join();
  // Each at least once, and in order: a number comes for the first time only after all before it.
  int next = 0;
  for (const std::string& body : bodies()) {
    ASSERT_LE(std::stoi(body), next);
    if (std::stoi(body) == next) ++next;
  }
  EXPECT_EQ(next, kCount);
}

TEST_F(HttpProduce, TheSecretIsInNoText) {
  server.set_script(always(401, {0, std::string("wrong: ") + kSecretText, {}}));
  Producer producer(plugin, "{\"url\":\"" + server.url("/in") + "?key=" + kSecretText + "\",\"tokenFile\":\"" +
                                secret_file() + "\"}");
  EXPECT_EQ(producer.produce({"x"}), 0u);
  EXPECT_EQ(producer.last, KPS_UNAUTHENTICATED);
  EXPECT_EQ(producer.last_text.find(kSecretText), std::string::npos) << producer.last_text;
  EXPECT_NE(producer.last_text.find(server.url("/in")), std::string::npos) << producer.last_text;
}

TEST_F(HttpProduce, AServerThatRepeatsTheCredentialsIsNotQuoted) {
  server.set_script([](const HttpRequest& request) {
    return HttpReply{401, "got: " + request.header("authorization"), {}};
  });
  Producer producer(plugin, metadata(",\"username\":\"me\",\"passwordFile\":\"" + secret_file() + "\""));
  EXPECT_EQ(producer.produce({"x"}), 0u);
  EXPECT_EQ(producer.last, KPS_UNAUTHENTICATED);
  EXPECT_EQ(producer.last_text.find("bWU6czNjcmV0"), std::string::npos) << producer.last_text;
}

TEST_F(HttpProduce, BadParametersAreNamed) {
  const std::string url = "\"url\":\"http://127.0.0.1:1\"";
  const std::pair<std::string, std::string> bad[] = {
      {"{}", "\"url\" is missing"},
      {"{\"url\":\"ftp://host\"}", "\"url\" must begin with http:// or https://"},
      {"{\"url\":\"http://\"}", "\"url\" is not an address such as https://host:8443/path"},
      {"{\"url\":\"http://me:s3cret-Pa55@host/\"}",
       "\"url\" must not hold a user or a password: use \"username\" and \"passwordFile\""},
      {"{" + url + ",\"batch\":\"json\"}", "\"batch\" must be one of \"none\", \"lines\", \"array\", but is \"json\""},
      {"{" + url + ",\"method\":\"GET\"}", "\"method\" must be one of \"POST\", \"PUT\", but is \"GET\""},
      {"{" + url + ",\"headers\":{\"Authorization\":\"x\"}}", "is for secrets"},
      {"{" + url + ",\"headers\":{\"Content-Length\":\"1\"}}", "is set by the plugin itself"},
      {"{" + url + ",\"headers\":{\"A b\":\"1\"}}", "is not a name of a header"},
      {"{" + url + ",\"headers\":{\"A\":\"1\\r\\nB: 2\"}}", "must be one line that is not empty"},
      {"{" + url + ",\"headers\":{\"A\":1}}", "must be a string"},
      {"{" + url + ",\"headers\":[]}", "\"headers\" must be an object of names and strings"},
      {"{" + url + ",\"tls\":true}", "\"tls\" is true, but \"url\" begins with http://: write https://"},
      {"{" + url + ",\"username\":\"me\",\"tokenFile\":\"" + secret_file() + "\"}",
       "give a \"username\" or a token, not both"},
      {"{" + url + ",\"intervalMs\":1}", "\"intervalMs\" is not a known key"},
      {"{" + url + ",\"contentType\":\"a\\nb\"}", "\"contentType\" must be one line"}};
  for (const auto& [json, sentence] : bad) {
    const Error error = error_of([&, &text = json] { Producer(plugin, text); });
    EXPECT_EQ(error.code, KPS_INVALID_ARGUMENT) << json;
    EXPECT_NE(std::string(error.what()).find(sentence), std::string::npos) << json << " gave: " << error.what();
    EXPECT_EQ(std::string(error.what()).find(kSecretText), std::string::npos) << error.what();
  }
}

TEST_F(HttpProduce, TlsTrustsWhatItIsToldToTrust) {
  make_certificate();
  HttpServer encrypted([](const HttpRequest&) { return HttpReply(); }, read_all(directory / "cert"),
                       read_all(directory / "key"));
  const std::string url = "{\"url\":\"" + encrypted.url() + "\"";
  Producer trusting(plugin, url + ",\"caFile\":\"" + (directory / "cert") + "\"}");
  EXPECT_EQ(trusting.produce({"x"}, 5000), 1u) << trusting.last_text;
  Producer careless(plugin, url + ",\"tlsVerify\":false}");
  EXPECT_EQ(careless.produce({"x"}, 5000), 1u) << careless.last_text;
  Producer careful(plugin, url + "}");
  EXPECT_EQ(careful.produce({"x"}, 5000), 0u);
  EXPECT_EQ(careful.last, KPS_FAILED_PRECONDITION) << careful.last_text;
}

}  // namespace
}  // namespace kps::testing
