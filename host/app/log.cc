#include "host/app/log.h"

#include <fmt/chrono.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <chrono>
#include <string>

#include "host/core/json.h"

namespace kps {
namespace {

const char* LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "DEBUG";
    case LogLevel::kInfo: return "INFO";
    case LogLevel::kWarn: return "WARN";
    case LogLevel::kError: return "ERROR";
  }
  return "INFO";
}

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarn: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string WithoutControls(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) {
      clean += c;
    } else {
      clean += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return clean;
}

std::string Now() {
  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                     now.time_since_epoch().count() % 1000);
}

class SpdlogLogger : public Logger {
 public:
  SpdlogLogger(LogLevel level, LogFormat format)
      : format_(format), logger_("host", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_pattern("%v");
    logger_.set_level(ToSpdlog(level));
    logger_.flush_on(spdlog::level::trace);
  }

  void Log(LogLevel level, std::string_view stream_id, std::string_view text) override {
    if (!logger_.should_log(ToSpdlog(level))) return;
    logger_.log(ToSpdlog(level), spdlog::string_view_t(FormatLine(format_, level, stream_id, text, Now())));
  }

  void SetLevel(LogLevel level) override { logger_.set_level(ToSpdlog(level)); }

 private:
  const LogFormat format_;
  spdlog::logger logger_;
};

}  // namespace

std::unique_ptr<Logger> MakeLogger(LogLevel level, LogFormat format) {
  return std::make_unique<SpdlogLogger>(level, format);
}

std::string FormatLine(LogFormat format, LogLevel level, std::string_view stream_id, std::string_view text,
                       std::string_view time) {
  if (format == LogFormat::kJson) {
    std::vector<std::pair<std::string_view, std::string_view>> members{
        {"time", time}, {"level", LevelName(level)}, {"message", text}};
    if (!stream_id.empty()) members.emplace_back("stream", stream_id);
    return JsonOfStrings(members);
  }
  std::string line = fmt::format("{} {:<5} ", time, LevelName(level));
  if (!stream_id.empty()) line += '[' + WithoutControls(stream_id) + "] ";
  return line + WithoutControls(text);
}

}  // namespace kps
