// How a plugin fails: throw a Failure. guarded() is the boundary that turns every exception into a kps_error.
#ifndef KPS_CPP_FAILURE_HPP
#define KPS_CPP_FAILURE_HPP

#include <cerrno>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

#include "../error.h"

namespace kps {
namespace plugin {

// The code decides whether the host tries again (see kps/error.h), the text is what an operator reads: say what
// failed, where, and what to do.
class Failure : public std::runtime_error {
 public:
  Failure(kps_code code, const std::string &text, uint32_t retry_after_ms = 0)
      : std::runtime_error(text), code_(code == KPS_OK ? KPS_INTERNAL : code), retry_after_ms_(retry_after_ms) {}

  kps_code code() const noexcept { return code_; }
  uint32_t retry_after_ms() const noexcept { return retry_after_ms_; }

 private:
  kps_code code_;
  uint32_t retry_after_ms_;
};

// The code that tells the host rightly whether a failed system call is worth another try.
inline kps_code code_of_errno(int number) noexcept {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
      return KPS_RESOURCE_EXHAUSTED;
    case EACCES:
    case EPERM:
    case EROFS:
      return KPS_PERMISSION_DENIED;
    case ENOENT:
    case ENOTDIR:
      return KPS_NOT_FOUND;
    case EINVAL:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
      return KPS_INVALID_ARGUMENT;
    case ETIMEDOUT:
      return KPS_DEADLINE_EXCEEDED;
    default:
      return KPS_UNAVAILABLE;
  }
}

// `what` names the act and its object: errno_failure(errno, "open /var/log/x").
inline Failure errno_failure(int number, const std::string &what) {
  return Failure(code_of_errno(number), what + ": " + std::generic_category().message(number));
}

namespace detail {

inline kps_code report(kps_error *error, kps_code code, const char *text, uint32_t retry_after_ms = 0) noexcept {
  if (error != nullptr) error->retry_after_ms = retry_after_ms;
  return kps_error_set(error, code, text, std::strlen(text));
}

// Runs body(); whatever it throws ends here.
template <typename Body>
kps_code guarded(kps_error *error, Body body) noexcept {
  try {
    body();
    return KPS_OK;
  } catch (const Failure &failure) {
    return report(error, failure.code(), failure.what(), failure.retry_after_ms());
  } catch (const std::invalid_argument &invalid) {
    return report(error, KPS_INVALID_ARGUMENT, invalid.what());
  } catch (const std::bad_alloc &) {
    return report(error, KPS_RESOURCE_EXHAUSTED, "out of memory");
  } catch (const std::exception &exception) {
    return report(error, KPS_INTERNAL, exception.what());
  } catch (...) {
    return report(error, KPS_UNKNOWN, "the plugin threw something that is not a std::exception");
  }
}

}  // namespace detail
}  // namespace plugin
}  // namespace kps

#endif
