// INGRESS, webhook: who is answered what, and when.
#include <future>
#include <utility>

#include "http_webhook_fixture.h"

namespace kps::testing {
namespace {

TEST_F(HttpWebhook, TheCallerIsAnsweredWhenTheMessageIsSafeAndNotBefore) {
  Consumer consumer(plugin, metadata());
  auto result = send("hello");
  ASSERT_EQ(consumer.collect(1), Lines{"hello"});
  EXPECT_EQ(consumer.next(100), Lines{});
  EXPECT_FALSE(is_done(result));
  consumer.ack();
  EXPECT_EQ(result.get().status, 200);
  EXPECT_EQ(consumer.position, "");
}

TEST_F(HttpWebhook, BodiesAreAnyBytesOfAnySizeAndMayBeChunked) {
  Consumer consumer(plugin, metadata());
  for (const size_t size : {0, 1, 256, 256 << 10}) {
    for (const Lines& headers : {Lines{}, Lines{"Transfer-Encoding: chunked"}}) {
      auto result = send(every_byte(size), "POST", headers);
      EXPECT_EQ(consumer.collect(1), Lines{every_byte(size)}) << size;
      consumer.ack();
      EXPECT_EQ(result.get().status, 200);
    }
  }
}

TEST_F(HttpWebhook, AnAckIsForEverythingUpToItsToken) {
  Consumer consumer(plugin, metadata());
  auto first = send("1");
  ASSERT_EQ(consumer.collect(1), Lines{"1"});
  const uint64_t token = consumer.token;
  auto second = send("2");
  ASSERT_EQ(consumer.collect(1), Lines{"2"});
  auto third = send("3");
  ASSERT_EQ(consumer.collect(1), Lines{"3"});
  const uint64_t last = std::exchange(consumer.token, token);
  consumer.ack();
  EXPECT_EQ(first.get().status, 200);
  EXPECT_FALSE(is_done(second));
  consumer.token = last;
  consumer.ack();
  EXPECT_EQ(second.get().status, 200);
  EXPECT_EQ(third.get().status, 200);
}

TEST_F(HttpWebhook, ABatchKeepsToTheLimits) {
  Consumer consumer(plugin, metadata());
  std::vector<std::future<HttpResult>> results;
  for (int i = 0; i < 6; ++i) results.push_back(send(std::string(1000, 'x')));
  size_t messages = 0;
  ASSERT_TRUE(Eventually([&] {
    const size_t count = consumer.next(50, 100, 2500).size();
    EXPECT_LE(count, 2u);
    return (messages += count) == 6;
  }));
  consumer.ack();
  for (auto& result : results) EXPECT_EQ(result.get().status, 200);
}

TEST_F(HttpWebhook, OtherPathsMethodsAndSizesAreRefusedWithTheirStatus) {
  Consumer consumer(plugin, metadata(",\"path\":\"/in\",\"bodyBytesMax\":1000,\"method\":\"PUT\""));
  EXPECT_EQ(HttpSender(url("/other")).send("x", "PUT").status, 404);
  const HttpResult wrong_method = HttpSender(url("/in")).send("x", "POST");
  EXPECT_EQ(wrong_method.status, 405);
  EXPECT_NE(wrong_method.headers.find("Allow: PUT\r\n"), std::string::npos) << wrong_method.headers;
  EXPECT_EQ(HttpSender(url("/in")).send(std::string(1001, 'x'), "PUT").status, 413);
  EXPECT_EQ(HttpSender(url("/in")).send(std::string(1001, 'x'), "PUT", {"Transfer-Encoding: chunked"}).status, 413);
  EXPECT_EQ(HttpSender(url("/in")).send(std::string(4 << 20, 'x'), "PUT").status, 413);
  auto fits = send(std::string(1000, 'x'), "PUT", {}, "/in");
  EXPECT_EQ(consumer.collect(1), Lines{std::string(1000, 'x')});
  consumer.ack();
  EXPECT_EQ(fits.get().status, 200);
}

TEST_F(HttpWebhook, WithoutTheTokenNobodyIsLetIn) {
  Consumer consumer(plugin, metadata(",\"tokenFile\":\"" + secret_file() + "\""));
  const std::string right = std::string("Authorization: Bearer ") + kSecretText;
  for (const Lines& headers : {Lines{}, Lines{"Authorization: Bearer wrong"}, Lines{right + "x"},
                               Lines{right.substr(0, right.size() - 1)}, Lines{"Authorization: Basic x"}}) {
    const HttpResult result = HttpSender(url()).send("x", "POST", headers);
    EXPECT_EQ(result.status, 401);
    EXPECT_NE(result.headers.find("WWW-Authenticate: Bearer"), std::string::npos);
    EXPECT_EQ((result.headers + result.body).find(kSecretText), std::string::npos);
  }
  auto result = send("in", "POST", {right});
  EXPECT_EQ(consumer.collect(1), Lines{"in"});
  consumer.ack();
  EXPECT_EQ(result.get().status, 200);
}

TEST_F(HttpWebhook, MoreThanMayWaitAreToldToComeLater) {
  Consumer consumer(plugin, metadata(",\"waitingMax\":2"));
  auto first = send("1");
  auto second = send("2");
  ASSERT_EQ(consumer.collect(2).size(), 2u);
  const HttpResult third = HttpSender(url()).send("3");
  EXPECT_EQ(third.status, 503);
  EXPECT_NE(third.headers.find("Retry-After: 1\r\n"), std::string::npos) << third.headers;
  consumer.ack();
  EXPECT_EQ(first.get().status, 200);
  EXPECT_EQ(second.get().status, 200);
  auto fourth = send("4");
  EXPECT_EQ(consumer.collect(1), Lines{"4"});
  consumer.ack();
  EXPECT_EQ(fourth.get().status, 200);
}

TEST_F(HttpWebhook, WhatIsNotSafeInTimeIsAnsweredSo) {
  Consumer consumer(plugin, metadata(",\"answerTimeoutMs\":150"));
  // Nobody asks for it: then it is not a message any more, as its sender has been told.
  EXPECT_EQ(send("never taken").get().status, 503);
  EXPECT_EQ(consumer.next(20), Lines{});
  auto taken = send("taken");
  ASSERT_EQ(consumer.collect(1), Lines{"taken"});
  EXPECT_EQ(taken.get().status, 503);
  consumer.ack();  // too late, and harmless
  auto later = send("later");
  ASSERT_EQ(consumer.collect(1), Lines{"later"});
  consumer.ack();
  EXPECT_EQ(later.get().status, 200);
}

TEST_F(HttpWebhook, DestroyAnswersThoseThatWait) {
  auto consumer = std::make_unique<Consumer>(plugin, metadata());
  auto taken = send("taken");
  auto also_taken = send("also taken");
  ASSERT_EQ(consumer->collect(2).size(), 2u);
  const auto begin = std::chrono::steady_clock::now();
  consumer.reset();
  EXPECT_LT(elapsed(begin).count(), 1000);
  for (HttpResult result : {taken.get(), also_taken.get()}) {
    EXPECT_EQ(result.status, 503);
    EXPECT_NE(result.headers.find("Connection: close"), std::string::npos) << result.headers;
    EXPECT_NE(result.headers.find("Retry-After: 1"), std::string::npos) << result.headers;
  }
}

TEST_F(HttpWebhook, WakeAndTimeoutEndTheWait) {
  Consumer consumer(plugin, metadata());
  auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(consumer.next(100), Lines{});
  EXPECT_GE(elapsed(begin).count(), 100);
  EXPECT_LT(elapsed(begin).count(), 1000);
  auto blocked = std::async(std::launch::async, [&] { return consumer.next(20000); });
  begin = std::chrono::steady_clock::now();
  consumer.wake();
  EXPECT_EQ(blocked.get(), Lines{});
  EXPECT_LT(elapsed(begin).count(), 1000);
}

TEST_F(HttpWebhook, TlsEncryptsAndABadCertificateIsNamed) {
  make_certificate();
  const std::string files =
      ",\"certFile\":\"" + (directory / "cert") + "\",\"keyFile\":\"" + (directory / "key") + "\"";
  Consumer consumer(plugin, metadata(files));
  auto result = std::async(std::launch::async,
                           [&] { return HttpSender("https://" + address() + "/", directory / "cert").send("secret"); });
  EXPECT_EQ(consumer.collect(1), Lines{"secret"});
  consumer.ack();
  EXPECT_EQ(result.get().status, 200);

  append(directory / "bad", "no certificate");
  const Error error = error_of([&] {
    Consumer(plugin,
             metadata(",\"certFile\":\"" + (directory / "bad") + "\",\"keyFile\":\"" + (directory / "key") + "\""));
  });
  EXPECT_EQ(error.code, KPS_FAILED_PRECONDITION) << error.what();
  EXPECT_NE(std::string(error.what()).find("see \"certFile\" and \"keyFile\""), std::string::npos) << error.what();
}

TEST_F(HttpWebhook, APortOfAnotherProgramIsTransient) {
  const HttpServer other;  // does not share its port
  const std::string port = other.url().substr(7, other.url().size() - 8);
  const Error error = error_of([&] { Consumer(plugin, metadata("", port)); });
  EXPECT_EQ(error.code, KPS_UNAVAILABLE) << error.what();
  EXPECT_NE(std::string(error.what()).find("another program has this port"), std::string::npos) << error.what();
}

TEST_F(HttpWebhook, BadParametersAreNamed) {
  const std::pair<std::string, std::string> bad[] = {
      {"{}", "\"listen\" (a webhook) or \"url\" (polling) is missing"},
      {metadata(",\"url\":\"http://x/\""), "give \"listen\" (a webhook) or \"url\" (polling), not both"},
      {metadata(",\"path\":\"x\""), "\"path\" must begin with / and have no ? or #"},
      {metadata(",\"intervalMs\":1"), "\"intervalMs\" is not a known key"},
      {metadata(",\"method\":\"GET\""), "\"method\" must be one of"},
      {metadata(",\"certFile\":\"" + secret_file() + "\""), "\"certFile\" and \"keyFile\" go together"},
      {metadata(",\"waitingMax\":0"), "\"waitingMax\" must be a whole number from 1 to 100000"}};
  for (const auto& [json, sentence] : bad) {
    const Error error = error_of([&, &text = json] { Consumer(plugin, text); });
    EXPECT_EQ(error.code, KPS_INVALID_ARGUMENT) << json;
    EXPECT_NE(std::string(error.what()).find(sentence), std::string::npos) << json << " gave: " << error.what();
  }
  for (const char* listen : {"localhost:80", "127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:65536", "::1:80",
                             "[127.0.0.1]:80", "127.0.0.1:8x"}) {
    const Error error = error_of([&] { Consumer(plugin, metadata("", listen)); });
    EXPECT_EQ(error.code, KPS_INVALID_ARGUMENT) << listen;
    EXPECT_NE(std::string(error.what()).find("\"listen\" must be a numeric address and a port"), std::string::npos);
  }
}

}  // namespace
}  // namespace kps::testing
