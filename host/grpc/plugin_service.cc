#include "host/grpc/plugin_service.h"

#include <google/protobuf/util/time_util.h>

#include <string>

#include "host/core/plugin_control.h"
#include "kps/host/v1/plugin.grpc.pb.h"

namespace kps {
namespace {

namespace pb = kps::host::v1;
using google::protobuf::util::TimeUtil;

void Convert(const PluginStatus& status, pb::PluginStatus* out) {
  out->set_name(status.name);
  out->set_version(status.version);
  out->set_file(status.file);
  out->set_loaded_file(status.loaded_file);
  out->set_build_id(status.build_id);
  out->set_sha256(status.sha256);
  out->set_generation(status.generation);
  *out->mutable_loaded_at() = TimeUtil::NanosecondsToTimestamp(status.loaded_at_ns);
  out->set_resident(status.resident);
  out->set_resident_max(status.resident_max);
  out->set_watching(status.watching);
  out->set_swaps(status.swaps);
  out->set_failures(status.failures);
  if (status.last_swap) {
    pb::PluginSwap* swap = out->mutable_last_swap();
    *swap->mutable_at() = TimeUtil::NanosecondsToTimestamp(status.last_swap->at_ns);
    swap->set_from_version(status.last_swap->from);
    swap->set_to_version(status.last_swap->to);
    swap->set_streams(status.last_swap->streams);
    *swap->mutable_pause_max() = TimeUtil::NanosecondsToDuration(status.last_swap->pause_max.count());
    swap->set_dropped(status.last_swap->dropped);
  }
  if (status.last_failure) {
    pb::PluginFailure* failure = out->mutable_last_failure();
    *failure->mutable_at() = TimeUtil::NanosecondsToTimestamp(status.last_failure->at_ns);
    failure->set_reason(status.last_failure->reason);
  }
}

class PluginService : public pb::PluginService::Service {
 public:
  explicit PluginService(PluginControl* plugin) : plugin_(plugin) {}

  grpc::Status GetPluginStatus(grpc::ServerContext*, const pb::GetPluginStatusRequest*,
                               pb::PluginStatus* response) override {
    Convert(plugin_->Status(), response);
    return grpc::Status::OK;
  }

  grpc::Status ReloadPlugin(grpc::ServerContext*, const pb::ReloadPluginRequest*,
                            pb::ReloadPluginResponse* response) override {
    auto outcome = plugin_->Reload();
    // Whatever the plugin's code is: the caller's question was answered, and it is no.
    if (!outcome.ok()) return {grpc::StatusCode::FAILED_PRECONDITION, outcome.error().message()};
    response->set_outcome(outcome.value());
    Convert(plugin_->Status(), response->mutable_status());
    return grpc::Status::OK;
  }

 private:
  PluginControl* const plugin_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakePluginService(PluginControl* plugin) {
  return std::make_unique<PluginService>(plugin);
}

}  // namespace kps
