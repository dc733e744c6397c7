// What the tests of the plugin http share.
#ifndef KPS_TESTS_PLUGINS_HTTP_FIXTURE_H
#define KPS_TESTS_PLUGINS_HTTP_FIXTURE_H

#include <chrono>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include "harness.h"
#include "http_sender.h"
#include "http_server.h"
#include "tests/support/eventually.h"

namespace kps::testing {

using Lines = std::vector<std::string>;
using test::Eventually;

inline constexpr char kSecretText[] = "s3cret-Pa55";

inline std::string every_byte(size_t size) {
  std::string bytes(size, '\0');
  std::iota(bytes.begin(), bytes.end(), '\0');
  return bytes;
}

// Where none of the machine's proxies stands between.
class Http : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { setenv("no_proxy", "*", 1); }

  std::string secret_file() {
    const std::string path = directory / "secret";
    if (!std::filesystem::exists(path)) append(path, std::string(kSecretText) + "\n");
    return path;
  }
  // A certificate for 127.0.0.1 that signs itself.
  void make_certificate() {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout " +
        (directory / "key") + " -out " + (directory / "cert") + " 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0);
  }
  // The stream's error, which has to come within a few calls.
  Error failure_of_next(Consumer& consumer) {
    return error_of([&] {
      for (int i = 0; i < 100; ++i) consumer.next(50);
    });
  }

  Directory directory;
  Plugin plugin{"http"};
};

inline std::chrono::milliseconds elapsed(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - since);
}

}  // namespace kps::testing

#endif
