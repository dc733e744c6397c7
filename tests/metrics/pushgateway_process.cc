#include "tests/metrics/pushgateway_process.h"

#include "tests/metrics/http_get.h"

namespace kps::test {

PushgatewayProcess::PushgatewayProcess(int port)
    : process_({KPS_PUSHGATEWAY, "--web.listen-address=127.0.0.1:" + std::to_string(port), "--persistence.file="}, {}) {
  // level=info msg="Listening on" address=127.0.0.1:41234, and then a word about TLS
  const std::string before = "msg=\"Listening on\" address=";
  if (!process_.WaitForOutput(before) || !process_.WaitForOutput("TLS is")) return;
  const std::size_t begin = process_.err().find(before) + before.size();
  address_ = process_.err().substr(begin, process_.err().find('\n', begin) - begin);
}

int PushgatewayProcess::port() const { return std::stoi(address_.substr(address_.rfind(':') + 1)); }

std::string PushgatewayProcess::Metrics() const { return HttpGet("http://" + address_ + "/metrics").body; }

}  // namespace kps::test
