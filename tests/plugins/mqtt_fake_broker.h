// A broker of MQTT 5 that does what a test says, packet by packet: for what no real one can be made to do.
#ifndef KPS_TESTS_PLUGINS_MQTT_FAKE_BROKER_H
#define KPS_TESTS_PLUGINS_MQTT_FAKE_BROKER_H

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/eventually.h"

namespace kps::testing {

// The first byte of a packet, its flags included where they are fixed.
enum Packet : unsigned char {
  kConnect = 0x10,
  kPublish = 0x30,
  kPuback = 0x40,
  kPubrec = 0x50,
  kPubrel = 0x62,
  kPubcomp = 0x70,
  kSubscribe = 0x82,
  kDisconnect = 0xe0,
};

class FakeBroker {
 public:
  class Connection {
   public:
    Connection(int fd, SSL_CTX* tls) : fd_(fd), ssl_(tls == nullptr ? nullptr : SSL_new(tls)) {
      if (ssl_ == nullptr) return;
      SSL_set_fd(ssl_, fd_);
      SSL_accept(ssl_);  // where that fails, so does what is read next
    }
    ~Connection() {
      SSL_free(ssl_);
      ::close(fd_);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // The first byte and the body of the next packet; empty: the client has closed, or nothing came until the deadline.
    std::string Receive() {
      std::string packet = Read(1);
      if (packet.empty()) return "";
      size_t size = 0;
      for (int shift = 0;; shift += 7) {
        const std::string byte = Read(1);
        if (byte.empty()) return "";
        size |= static_cast<size_t>(byte[0] & 0x7f) << shift;
        if ((byte[0] & 0x80) == 0) break;
      }
      return packet + Read(size);
    }
    // The next packet of that type, whatever comes before it.
    std::string Await(Packet type) {
      std::string packet;
      do packet = Receive();
      while (!packet.empty() && (packet[0] & 0xf0) != (type & 0xf0));
      return packet;
    }
    // With TLS: in one record, if it is not longer than one can be.
    void Send(const std::string& bytes) {
      if (ssl_ != nullptr) {
        SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
      } else {
        (void)!::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      }
    }
    // What was sent is read by the client first.
    void Close() { ::shutdown(fd_, SHUT_WR); }

   private:
    std::string Read(size_t size) {
      std::string bytes(size, '\0');
      for (size_t got = 0; got < size;) {
        const ssize_t n = ssl_ != nullptr ? SSL_read(ssl_, bytes.data() + got, static_cast<int>(size - got))
                                          : ::recv(fd_, bytes.data() + got, size - got, 0);
        if (n <= 0) return "";
        got += static_cast<size_t>(n);
      }
      return bytes;
    }

    const int fd_;
    SSL* const ssl_;
  };
  using Script = std::function<void(Connection&)>;

  // One script for each connection, one after the other; it is closed when its script ends.
  explicit FakeBroker(std::vector<Script> scripts, bool tls = false)
      : tls_(tls ? MakeTls() : nullptr, SSL_CTX_free), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 10) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this, scripts = std::move(scripts)] { Serve(scripts); });
  }
  ~FakeBroker() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  FakeBroker(const FakeBroker&) = delete;
  FakeBroker& operator=(const FakeBroker&) = delete;

  // Waits for the end of the last script.
  bool Ended() const {
    return test::Eventually([this] { return ended_.load(); });
  }
  std::string url() const { return std::string(tls_ ? "mqtts" : "mqtt") + "://127.0.0.1:" + std::to_string(port_); }

  static std::string Make(int first, const std::string& body) {
    std::string packet(1, static_cast<char>(first));
    size_t size = body.size();
    do {
      packet += static_cast<char>((size & 0x7f) | (size > 0x7f ? 0x80 : 0));
      size >>= 7;
    } while (size > 0);
    return packet + body;
  }
  static std::string Number(int mid) { return {static_cast<char>(mid >> 8), static_cast<char>(mid & 0xff)}; }
  static std::string Connack(bool session_present, const std::string& properties = "") {
    return Make(0x20,
                std::string{static_cast<char>(session_present), 0, static_cast<char>(properties.size())} + properties);
  }
  // libmosquitto does not look at its number.
  static std::string Suback(int reason = 1) { return Make(0x90, Number(1) + '\0' + static_cast<char>(reason)); }
  static std::string Publish(int qos, int mid, const std::string& payload) {
    return Make(kPublish | qos << 1, Number(1) + "t" + Number(mid) + '\0' + payload);
  }
  // PUBACK, PUBREC, PUBREL, PUBCOMP.
  static std::string Answer(Packet type, int mid) { return Make(type, Number(mid)); }

 private:
  // With a certificate that nobody trusts.
  static SSL_CTX* MakeTls() {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 24 * 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    SSL_CTX* const tls = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate(tls, certificate.get()) != 1 || SSL_CTX_use_PrivateKey(tls, key.get()) != 1) {
      throw std::runtime_error("cannot make a certificate");
    }
    return tls;
  }

  void Serve(const std::vector<Script>& scripts) {
    for (const Script& script : scripts) {
      for (bool served = false; !served;) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) return;
        const timeval deadline{test::kDeadline.count(), 0};
        ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
        Connection connection(fd, tls_.get());
        served = !connection.Await(kConnect).empty();  // else it was only looked whether somebody listens
        if (served) script(connection);
      }
    }
    ended_ = true;
  }

  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> tls_;  // null: none
  const int listener_;
  int port_ = 0;
  std::atomic<bool> ended_{false};
  std::jthread thread_;
};

}  // namespace kps::testing

#endif
