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

// Bytes of the UTF-8 character at the start of `text`; 0: there is none.
inline size_t utf8_size(const unsigned char *text, size_t size) noexcept {
  const unsigned char lead = text[0];
  if (lead < 0x80) return 1;
  const size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || size < bytes) return 0;
  for (size_t i = 1; i < bytes; ++i) {
    if ((text[i] & 0xC0) != 0x80) return 0;
  }
  // Longer than needed, half of a pair of UTF-16, or beyond the last character.
  const bool excluded = (lead == 0xE0 && text[1] < 0xA0) || (lead == 0xED && text[1] > 0x9F) ||
                        (lead == 0xF0 && text[1] < 0x90) || (lead == 0xF4 && text[1] > 0x8F);
  return excluded ? 0 : bytes;
}

// What is no UTF-8 becomes '?': plugins quote the world, positions and payloads of any bytes.
inline kps_code report(kps_error *error, kps_code code, const char *text, uint32_t retry_after_ms = 0) noexcept {
  if (error == nullptr) return code;
  error->retry_after_ms = retry_after_ms;
  kps_error_set(error, code, text, std::strlen(text));
  for (uint32_t i = 0; i < error->text_size;) {
    const size_t bytes = utf8_size(reinterpret_cast<const unsigned char *>(error->text) + i, error->text_size - i);
    if (bytes == 0) error->text[i] = '?';
    i += bytes == 0 ? 1 : static_cast<uint32_t>(bytes);
  }
  return code;
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
