#include "host/grpc/grpc_log.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

namespace kps {

void SilenceGrpc() {
  gpr_set_log_function([](gpr_log_func_args*) {});
  google::protobuf::SetLogHandler(nullptr);  // it says that a client sent no UTF-8: that client is told
}

}  // namespace kps
