#include "cli/kit/check/check_host.h"

#include <kps/version.h>

#include <algorithm>
#include <string>

#include "host/core/json.h"
#include "host/core/schema.h"
#include "host/plugin/text.h"

namespace kps::cli {
namespace {

CheckHost* Self(void* context) { return static_cast<CheckHost*>(context); }

std::string Quoted(kps_str text) { return "\"" + Shortened(CopyText(text), 60) + "\""; }

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsAlphanumeric(char c) { return IsLower(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

}  // namespace

CheckHost::CheckHost(Findings* findings)
    : findings_(findings), table_{sizeof(kps_host), KPS_ABI_VERSION, this,     Log,       RaiseAlert,
                                  SetStatus,        CounterAdd,      GaugeSet, ShouldStop} {}

void CheckHost::Fail(const char* function, const std::string& what) {
  findings_->FailBeside(kRuleHostCalls, std::string(function) + " was called with " + what);
}

void CheckHost::ExpectText(const char* function, const char* what, kps_str text) {
  if (text.size > 0 && text.data == nullptr) return Fail(function, std::string(what) + " that has a size and no bytes");
  if (CopyText(text) != View(text)) Fail(function, std::string(what) + " that is no UTF-8: " + Quoted(text));
}

void CheckHost::ExpectEvent(const char* function, kps_str id, kps_str message, int32_t state, kps_str metadata_json) {
  ExpectText(function, "an id", id);
  ExpectText(function, "a message", message);
  const std::string_view name = View(id);
  if (name.empty() || !IsLower(name.front()) || !std::all_of(name.begin(), name.end(), IsAlphanumeric)) {
    Fail(function, "the id " + Quoted(id) + ", which is not lowerCamelCase");
  }
  if (View(message).empty()) Fail(function, "the id " + Quoted(id) + " and no message");
  if (state < 0 || state > KPS_STATE_UNHEALTHY) Fail(function, "the state " + std::to_string(state));
  if (View(metadata_json).empty()) return;
  if (const auto object = ParseJsonObject(View(metadata_json)); !object.ok()) {
    Fail(function, "metadata that are no JSON object: " + Quoted(metadata_json));
  }
}

void CheckHost::ExpectName(const char* function, kps_str name) {
  const std::string_view text = View(name);
  const bool good =
      !text.empty() && text.size() <= 128 && IsLower(text.front()) &&
      std::all_of(text.begin(), text.end(), [](char c) { return IsLower(c) || (c >= '0' && c <= '9') || c == '_'; });
  if (!good) Fail(function, "the name " + Quoted(name) + ", which is not [a-z][a-z0-9_]*");
}

void CheckHost::Log(void* context, int32_t level, kps_str stream_id, kps_str text) {
  if (level < KPS_LOG_DEBUG || level > KPS_LOG_ERROR) Self(context)->Fail("log", "the level " + std::to_string(level));
  Self(context)->ExpectText("log", "a stream id", stream_id);
  Self(context)->ExpectText("log", "a text", text);
}

void CheckHost::RaiseAlert(void* context, kps_str stream_id, kps_str id, kps_str message, int32_t severity,
                           int32_t state, kps_str metadata_json) {
  if (severity < 0 || severity > KPS_SEVERITY_CRITICAL) {
    Self(context)->Fail("raise_alert", "the severity " + std::to_string(severity));
  }
  Self(context)->ExpectText("raise_alert", "a stream id", stream_id);
  Self(context)->ExpectEvent("raise_alert", id, message, state, metadata_json);
}

void CheckHost::SetStatus(void* context, kps_str stream_id, kps_str id, kps_str message, int32_t state,
                          kps_str metadata_json) {
  Self(context)->ExpectText("set_status", "a stream id", stream_id);
  Self(context)->ExpectEvent("set_status", id, message, state, metadata_json);
}

void CheckHost::CounterAdd(void* context, kps_str stream_id, kps_str name, uint64_t) {
  Self(context)->ExpectText("counter_add", "a stream id", stream_id);
  Self(context)->ExpectName("counter_add", name);
}

void CheckHost::GaugeSet(void* context, kps_str stream_id, kps_str name, double) {
  Self(context)->ExpectText("gauge_set", "a stream id", stream_id);
  Self(context)->ExpectName("gauge_set", name);
}

int32_t CheckHost::ShouldStop(void* context, kps_str) { return Self(context)->stopping_ ? 1 : 0; }

}  // namespace kps::cli
