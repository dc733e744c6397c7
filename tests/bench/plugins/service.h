// A data service, and what the benchmark of the plugins does with it. All but the constructor runs in processes of
// their own, so nothing that a client library leaves behind weighs on the next run.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace kps::bench {

struct Size {
  std::size_t messages = 0;
  std::size_t bytes = 0;  // of each
};

// INGRESS: from the moment that the client is made. EGRESS: from the second message; the first one connects. To the
// last message that is safe.
class Stopwatch {
 public:
  virtual ~Stopwatch() = default;
  virtual void Begin() = 0;
  virtual void End() = 0;
};

// Starts its server. All that goes wrong is an exception.
class Service {
 public:
  virtual ~Service() = default;

  virtual const char* plugin() const = 0;
  virtual std::size_t IngressMessages() const = 0;  // of a run: for some seconds at most
  virtual std::size_t EgressMessages() const = 0;

  // What a run of ingress finds: as new.
  virtual void Fill(const Size& size) = 0;
  // What comes while it runs; returns when all of it was taken.
  virtual void SendMeanwhile(const Size&) {}

  virtual std::string IngressMetadata() const = 0;
  virtual std::string EgressMetadata() const = 0;
  // The same with the client library alone, and the same of its settings. Ends with the last message.
  virtual void ReceiveBare(const Size& size, Stopwatch* stopwatch) = 0;
  virtual void SendBare(const Size& size, Stopwatch* stopwatch) = 0;
};

std::vector<std::unique_ptr<Service>> MakeServices();

#ifdef KPS_WITH_MQTT
std::unique_ptr<Service> MakeMqtt();
#endif
#ifdef KPS_WITH_KAFKA
std::unique_ptr<Service> MakeKafka();
#endif
#ifdef KPS_WITH_HTTP
std::unique_ptr<Service> MakeHttp();
#endif
#ifdef KPS_WITH_NATS
std::unique_ptr<Service> MakeNats();
#endif

}  // namespace kps::bench
