// A value, or the failure that ends the command: the sentence for the user and the exit code for the script.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace kps::cli {

// The exit codes of kps-connector, part of its interface (--help lists them).
enum ExitCode : int {
  kExitOk = 0,
  kExitUsage = 1,        // a wrong command line or file; nothing was sent
  kExitRefused = 2,      // the connector answered, and its answer is not OK; a tool: the plugin cannot be used
  kExitUnreachable = 3,  // no answer
};

struct Failure {
  ExitCode exit_code = kExitUsage;
  std::string text;  // without a final newline
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::move(value)) {}            // NOLINT: implicit on purpose
  Result(Failure failure) : content_(std::move(failure)) {}  // NOLINT: implicit on purpose

  bool ok() const { return std::holds_alternative<T>(content_); }
  T& value() { return std::get<T>(content_); }
  const T& value() const { return std::get<T>(content_); }
  // Only when !ok().
  const Failure& failure() const { return std::get<Failure>(content_); }

 private:
  std::variant<T, Failure> content_;
};

}  // namespace kps::cli
