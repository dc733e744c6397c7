// A server of libmicrohttpd that answers at once, and senders of libcurl. One message a request.
#include <arpa/inet.h>
#include <curl/curl.h>
#include <microhttpd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/bench/child.h"
#include "tests/bench/plugins/service.h"
#include "tests/support/eventually.h"

namespace kps::bench {
namespace {

constexpr std::size_t kSenders = 16;  // connections to the webhook

// Of 127.0.0.1. Somebody else may be given it before it is used; the run fails then.
std::uint16_t FreePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  if (!bound) throw std::runtime_error("no port is free");
  return ntohs(address.sin_port);
}

// A thread that messages are handed to, and that has their connections answered.
class Worker {
 public:
  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_one();
  }

  void Take(MHD_Connection* connection) {
    const std::lock_guard lock(mutex_);
    connections_.push_back(connection);
    if (connections_.size() == 1) changed_.notify_one();
  }

 private:
  void Run() {
    std::vector<MHD_Connection*> taken;
    for (std::unique_lock lock(mutex_);; lock.lock()) {
      changed_.wait(lock, [this] { return stopped_ || !connections_.empty(); });
      if (connections_.empty()) return;
      std::swap(taken, connections_);
      lock.unlock();
      for (MHD_Connection* const connection : taken) MHD_resume_connection(connection);
      taken.clear();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<MHD_Connection*> connections_;
  bool stopped_ = false;
  std::jthread thread_{[this] { Run(); }};
};

// Answers 200 to all: at once, or when `worker` has the message.
class Server {
 public:
  explicit Server(
      std::uint16_t port, Worker* worker = nullptr, std::function<void()> on_answered = [] {})
      : worker_(worker), on_answered_(std::move(on_answered)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    daemon_ = MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME, port, nullptr,
                               nullptr, &Server::OnRequest, this, MHD_OPTION_SOCK_ADDR, &address,
                               MHD_OPTION_NOTIFY_COMPLETED, &Server::OnCompleted, this, MHD_OPTION_END);
    if (daemon_ == nullptr) throw std::runtime_error("no HTTP server");
  }
  ~Server() { MHD_stop_daemon(daemon_); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  static MHD_Result OnRequest(void* self, MHD_Connection* connection, const char*, const char*, const char*,
                              const char*, std::size_t* size, void** slot) {
    if (*slot == nullptr) {
      *slot = self;  // it has begun
      return MHD_YES;
    }
    if (*size > 0) {
      *size = 0;
      return MHD_YES;
    }
    Worker* const worker = static_cast<Server*>(self)->worker_;
    if (worker != nullptr && *slot == self) {
      *slot = worker;  // it was handed over
      MHD_suspend_connection(connection);
      worker->Take(connection);
      return MHD_YES;
    }
    MHD_Response* const response = MHD_create_response_from_buffer(0, nullptr, MHD_RESPMEM_PERSISTENT);
    const MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
  }

  static void OnCompleted(void* self, MHD_Connection*, void**, MHD_RequestTerminationCode) {
    static_cast<Server*>(self)->on_answered_();
  }

  Worker* const worker_;
  const std::function<void()> on_answered_;
  MHD_Daemon* daemon_ = nullptr;
};

class Sender {
 public:
  Sender(const std::string& url, std::size_t bytes) : payload_(bytes, 'x') {
    curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_, CURLOPT_PROXY, "");
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE, static_cast<long>(payload_.size()));
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, payload_.data());
  }
  ~Sender() { curl_easy_cleanup(easy_); }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // Whether it was answered 200.
  bool Send() {
    long status = 0;
    if (curl_easy_perform(easy_) == CURLE_OK) curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    return status == 200;
  }

 private:
  const std::string payload_;
  CURL* const easy_ = curl_easy_init();
};

class Http : public Service {
 public:
  Http()
      : server_("the HTTP server", [this] {
          const Server server(target_);
          ::pause();
        }) {}

  const char* plugin() const override { return "http"; }
  std::size_t IngressMessages() const override { return 40'000; }
  std::size_t EgressMessages() const override { return 20'000; }
  void Fill(const Size&) override {}
  void SendMeanwhile(const Size& size) override {
    std::atomic<std::size_t> next{0};
    std::atomic<bool> refused{false};
    std::vector<std::jthread> senders;
    for (std::size_t i = 0; i < kSenders; ++i) {
      senders.emplace_back([&] {
        Sender sender(Url(webhook_), size.bytes);
        // The webhook is about to listen.
        while (next++ < size.messages && !refused)
          refused = refused || !test::Eventually([&] { return sender.Send(); });
      });
    }
    senders.clear();
    if (refused) throw std::runtime_error("a message was not taken");
  }
  std::string IngressMetadata() const override {
    return R"({"listen": "127.0.0.1:)" + std::to_string(webhook_) + "\"}";
  }
  std::string EgressMetadata() const override { return R"({"url": ")" + Url(target_) + "\"}"; }
  void ReceiveBare(const Size& size, Stopwatch* stopwatch) override {
    std::atomic<std::size_t> received{0};
    stopwatch->Begin();
    Worker worker;
    const Server server(webhook_, &worker, [&] {
      if (++received == size.messages) stopwatch->End();
    });
    if (!test::Eventually([&] { return received == size.messages; }, std::chrono::minutes(2))) {
      throw std::runtime_error("messages are missing");
    }
  }
  void SendBare(const Size& size, Stopwatch* stopwatch) override {
    Sender sender(Url(target_), size.bytes);
    const auto send = [&] {
      if (!sender.Send()) throw std::runtime_error("a message was not taken");
    };
    send();
    stopwatch->Begin();
    for (std::size_t i = 0; i < size.messages; ++i) send();
    stopwatch->End();
  }

 private:
  static std::string Url(std::uint16_t port) { return "http://127.0.0.1:" + std::to_string(port) + "/"; }

  const std::uint16_t webhook_ = FreePort();
  const std::uint16_t target_ = FreePort();
  const Child server_;
};

}  // namespace

std::unique_ptr<Service> MakeHttp() { return std::make_unique<Http>(); }

}  // namespace kps::bench
