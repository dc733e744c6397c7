// Speaks as much of the protocol of NATS as a client needs to log in and to publish, for what no real server can be
// made to do: it records how the client logs in, and it can be late.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace kps::test {

class FakeNatsServer {
 public:
  // Listens on 127.0.0.1, for one client after the other, or throws.
  FakeNatsServer();
  FakeNatsServer(const FakeNatsServer&) = delete;
  FakeNatsServer& operator=(const FakeNatsServer&) = delete;
  ~FakeNatsServer();

  std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }

  // What the first client has sent up to its first PING; "" when none came in time.
  std::string Login();

  // From now on a PING is heard of, by an +OK, and waits for its answer, or until it is not late any more.
  void BeLate(bool late);
  int PingsThatWait();
  // That came, also those of a login.
  int Pings();

 private:
  void Run();
  void Serve(int fd);
  void OnPing(int fd);

  const int listening_;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string login_;
  bool late_ = false;
  int waiting_ = 0;
  int pings_ = 0;
  int serving_ = -1;
  std::thread thread_;
};

}  // namespace kps::test
