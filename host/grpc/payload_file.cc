#include "host/grpc/payload_file.h"

#include <google/protobuf/util/json_util.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "connector/v1/connector.pb.h"
#include "host/grpc/convert.h"

namespace kps {

Result<SetPayloadCommand> ReadPayloadFile(const std::string& path, const std::string& connector_id) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(Code::kNotFound, path + ": " + std::strerror(errno));
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return Error(Code::kInvalidArgument, path + " is a directory: name a file that holds a SetPayloadRequest");
  }
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());

  // Our own parser first: protobuf's names no line.
  if (auto parsed = ParseJsonObject(text); !parsed.ok()) {
    return Error(Code::kInvalidArgument, path + " is no SetPayloadRequest: " + parsed.error().message());
  }
  connector::v1::SetPayloadRequest request;
  const auto status = google::protobuf::util::JsonStringToMessage(text, &request);
  if (!status.ok()) {
    return Error(Code::kInvalidArgument,
                 path + " is no SetPayloadRequest: " + std::string(status.message().data(), status.message().size()));
  }
  if (request.connector_id().empty()) request.set_connector_id(connector_id);
  return ToCommand(request);
}

}  // namespace kps
