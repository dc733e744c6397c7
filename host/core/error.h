// Errors as values: a code that says whether to try again, and a sentence for a person.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace kps {

// The codes of connector.v1.ResponseCode, by number.
enum class Code : std::int32_t {
  kOk = 1,
  kCancelled = 2,
  kUnknown = 3,
  kInvalidArgument = 4,
  kDeadlineExceeded = 5,
  kNotFound = 6,
  kAlreadyExists = 7,
  kPermissionDenied = 8,
  kUnauthenticated = 9,
  kResourceExhausted = 10,
  kFailedPrecondition = 11,
  kAborted = 12,
  kOutOfRange = 13,
  kUnimplemented = 14,
  kInternal = 15,
  kUnavailable = 16,
  kDataLoss = 17,
};

// The code's name as people know it: "UNAVAILABLE".
const char* CodeName(Code code);

// Success, or a code with a sentence. Cheap to move; success holds no memory.
class [[nodiscard]] Error {
 public:
  Error() = default;  // success
  Error(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }

  // Whether the same call may succeed later without anybody changing anything.
  bool transient() const;

  // Not to be tried again before this; zero leaves it to the caller's back-off.
  std::chrono::milliseconds retry_after() const { return retry_after_; }
  void set_retry_after(std::chrono::milliseconds value) { retry_after_ = value; }

  // "UNAVAILABLE: no broker at ..." for logs.
  std::string ToString() const;

 private:
  Code code_ = Code::kOk;
  std::chrono::milliseconds retry_after_{0};
  std::string message_;
};

// A value, or the error that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : content_(std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const { return std::holds_alternative<T>(content_); }
  T& value() { return std::get<T>(content_); }
  const T& value() const { return std::get<T>(content_); }
  // Only when !ok().
  const Error& error() const { return std::get<Error>(content_); }

 private:
  std::variant<T, Error> content_;
};

}  // namespace kps
