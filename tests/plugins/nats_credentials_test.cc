// How the plugin nats logs in, and whom it trusts.
#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/plugins/nats_fixture.h"
#include "tests/support/fake_nats_server.h"

namespace kps::testing {
namespace {

using test::NatsServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kNkey[] = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
constexpr char kNkeySeed[] = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";

TEST(NatsCredentialsTest, ACredentialIsAcceptedOrRefusedAndNeverTold) {
  Directory directory;
  append(directory / "secret", "do-not-tell\n");
  append(directory / "wrong", "wrong-and-not-to-be-told\n");
  append(directory / "seed", kNkeySeed);
  Plugin plugin("nats");
  const auto file = [&](const char* key, const char* name) {
    return "\"" + std::string(key) + "\": \"" + (directory / name) + "\"";
  };
  struct Way {
    std::string config, right, wrong;
  };
  for (const Way& way : std::initializer_list<Way>{
           {"user: u, password: do-not-tell", R"("username": "u", )" + file("passwordFile", "secret"),
            R"("username": "u", )" + file("passwordFile", "wrong")},
           {"token: do-not-tell", file("tokenFile", "secret"), file("tokenFile", "wrong")},
           {"users: [{nkey: " + std::string(kNkey) + "}]",
            "\"nkey\": \"" + std::string(kNkey) + "\", " + file("nkeySeedFile", "seed"), ""},
       }) {
    const NatsServer server("authorization { " + way.config + " }");
    Consumer consumer(plugin, nats_metadata(server.url(), "t", way.right));
    Producer producer(plugin, nats_metadata(server.url(), "t", way.right));
    send(&producer, {"a"});
    EXPECT_THAT(consumer.collect(1), ElementsAre("a"));
    const Error error = error_of([&] { Consumer(plugin, nats_metadata(server.url(), "t", way.wrong)); });
    EXPECT_EQ(error.code, KPS_UNAUTHENTICATED) << error.what();
    EXPECT_THAT(error.what(), HasSubstr("the server refuses the credentials"));
    EXPECT_THAT(error.what(), Not(HasSubstr("tell")));
  }
}

TEST(NatsCredentialsTest, ACredentialsFileGivesTheJwtAndSignsWithTheSeed) {
  Directory directory;
  append(directory / "user.creds",
         "-----BEGIN NATS USER JWT-----\na.jwt.b\n------END NATS USER JWT------\n\n"
         "-----BEGIN USER NKEY SEED-----\n" +
             std::string(kNkeySeed) + "\n------END USER NKEY SEED------\n");
  Plugin plugin("nats");
  // Users with a JWT need an operator's keys at a real server.
  test::FakeNatsServer server;
  Consumer consumer(plugin,
                    nats_metadata(server.url(), "t", R"("credentialsFile": ")" + (directory / "user.creds") + "\""));
  const std::string login = server.Login();
  EXPECT_THAT(login, HasSubstr("\"jwt\":\"a.jwt.b\""));
  EXPECT_THAT(login, HasSubstr("\"sig\":\""));
  EXPECT_THAT(login, Not(HasSubstr(kNkeySeed)));
}

TEST(NatsCredentialsTest, CredentialsThatAreReplacedWhileTheStreamRuns) {
  NatsServer server("authorization { token: one }");
  Directory directory;
  append(directory / "token", "one");
  Plugin plugin("nats");
  Consumer consumer(plugin, nats_metadata(server.url(), "t", R"("tokenFile": ")" + (directory / "token") + "\""));
  server.Stop();
  server.Configure("authorization { token: two }");
  server.Start();
  EXPECT_TRUE(test::Eventually([&] {
    try {
      consumer.next(20);
    } catch (const Error& error) {
      return error.code == KPS_UNAUTHENTICATED;
    }
    return false;
  }));
}

class NatsTlsTest : public ::testing::Test {
 protected:
  // Of a server with a certificate for `subject`, which signs itself and is a file of this name.
  std::string config(const std::string& subject, const std::string& name = "cert") {
    const std::string cert = directory / name;
    EXPECT_EQ(
        std::system(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout " + cert +
                     ".key -out " + cert + " -subj /CN=localhost -addext subjectAltName=" + subject + " 2>/dev/null")
                        .c_str()),
        0);
    return "tls { cert_file: \"" + cert + "\", key_file: \"" + cert + ".key\" }";
  }
  static std::string metadata(const NatsServer& of, const std::string& more) {
    return nats_metadata("tls://127.0.0.1:" + std::to_string(of.port()), "t", more);
  }

  Directory directory;
  Plugin plugin{"nats"};
};

// libnats waits for a full socket over TLS, and only there.
TEST_F(NatsTlsTest, AServerThatHangsHoldsNoCall) {
  NatsServer server(config("IP:127.0.0.1"));
  Producer producer(plugin, metadata(server, R"("tlsVerify": false)"));
  send(&producer, {"a"});
  server.Pause();
  std::atomic<bool> told{false};
  std::jthread rescue([&] {
    EXPECT_TRUE(test::Eventually([&] { return told.load(); })) << "a call does not return";
    server.Resume();
  });
  const std::vector<std::string> messages(8, std::string(1'000'000, 'x'));
  while (producer.produce(messages, 100) > 0 || producer.last == KPS_OK) {
  }
  EXPECT_EQ(producer.last, KPS_UNAVAILABLE) << producer.last_text;
  told = true;
}

TEST_F(NatsTlsTest, TheServerHasToBeTheOneThatIsTrusted) {
  const NatsServer server(config("IP:127.0.0.1"));
  {
    Consumer consumer(plugin, metadata(server, R"("caFile": ")" + (directory / "cert") + "\""));
    Producer producer(plugin, metadata(server, R"("tlsVerify": false)"));
    std::jthread sender([&] { send(&producer, numbers(0, 5000)); });
    EXPECT_EQ(consumer.collect(5000), numbers(0, 5000));
  }
  const Error unknown = error_of([&] { Consumer(plugin, metadata(server, "")); });
  EXPECT_EQ(unknown.code, KPS_UNAVAILABLE) << unknown.what();
  EXPECT_THAT(unknown.what(), HasSubstr("TLS failed"));
  // A server that requires TLS gets it.
  const Error plain = error_of([&] { Consumer(plugin, nats_metadata(server.url(), "t")); });
  EXPECT_EQ(plain.code, KPS_UNAVAILABLE) << plain.what();
  EXPECT_THAT(plain.what(), HasSubstr("TLS failed"));

  const NatsServer other(config("DNS:other.example", "other"));
  const Error name =
      error_of([&] { Consumer(plugin, metadata(other, R"("caFile": ")" + (directory / "other") + "\"")); });
  EXPECT_EQ(name.code, KPS_UNAVAILABLE) << name.what();
  EXPECT_THAT(name.what(), HasSubstr("TLS failed"));

  const NatsServer without;
  const Error wanted = error_of([&] { Consumer(plugin, metadata(without, R"("tlsVerify": false)")); });
  EXPECT_EQ(wanted.code, KPS_FAILED_PRECONDITION) << wanted.what();
  EXPECT_THAT(wanted.what(), HasSubstr("the server has no TLS"));
}

}  // namespace
}  // namespace kps::testing
