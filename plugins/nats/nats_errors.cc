#include "nats_errors.h"

namespace kps::plugins {
namespace {

using plugin::Failure;

// Of the last failed call of this thread. The texts of libnats are of its source and of servers; none quotes a secret.
std::string words_of(natsStatus status) {
  const char* words = nats_GetLastError(nullptr);
  std::string text = words != nullptr && *words != '\0' ? words : natsStatus_GetText(status);
  // "(conn.c:1234): " is for who has its source.
  const size_t end = text.find("): ");
  if (text.starts_with('(') && end != std::string::npos) text.erase(0, end + 3);
  return text;
}

}  // namespace

Failure library_failure(natsStatus status, const std::string& doing) {
  const std::string text = doing + ": " + words_of(status);
  switch (status) {
    case NATS_NO_MEMORY: return Failure(KPS_RESOURCE_EXHAUSTED, text);
    case NATS_MAX_PAYLOAD: return Failure(KPS_FAILED_PRECONDITION, text + "; the server takes less than it did");
    case NATS_INVALID_SUBJECT:
    case NATS_INVALID_ARG:
    case NATS_INVALID_QUEUE_NAME: return Failure(KPS_INVALID_ARGUMENT, text);
    case NATS_NOT_PERMITTED: return Failure(KPS_PERMISSION_DENIED, text);
    case NATS_SSL_ERROR:
    case NATS_ILLEGAL_STATE: return Failure(KPS_FAILED_PRECONDITION, text);
    default: return Failure(KPS_UNAVAILABLE, text);
  }
}

void require(natsStatus status, const char* doing) {
  if (status != NATS_OK) throw library_failure(status, doing);
}

Failure connect_failure(natsStatus status, const std::string& doing) {
  const std::string text = doing + ": ";
  switch (status) {
    case NATS_CONNECTION_AUTH_FAILED:
      return Failure(KPS_UNAUTHENTICATED, text + "the server refuses the credentials (" + words_of(status) + ")");
    case NATS_SSL_ERROR:
      return Failure(KPS_UNAVAILABLE,
                     text + "TLS failed: look at the server's certificate and caFile (" + words_of(status) + ")");
    case NATS_SECURE_CONNECTION_WANTED:
      return Failure(KPS_FAILED_PRECONDITION, text + "the server has no TLS: use nats:// and do not set \"tls\"");
    case NATS_TIMEOUT: return Failure(KPS_UNAVAILABLE, text + "the server does not answer");
    case NATS_NO_SERVER: return Failure(KPS_UNAVAILABLE, text + "nobody listens there, or the name is not known");
    default: return Failure(KPS_UNAVAILABLE, text + words_of(status));
  }
}

Failure jetstream_failure(int code, int err_code, const std::string& description, const std::string& doing) {
  const std::string text =
      doing + ": " + description + (err_code == 0 ? std::string() : " (" + std::to_string(err_code) + ")");
  switch (err_code) {
    case JSStreamStoreFailedErr:  // full, by count or bytes; or the disk
    case JSAccountResourcesExceededErr:
    case JSInsufficientResourcesErr:
    case JSMemoryResourcesExceededErr:
    case JSStorageResourcesExceededErr: return Failure(KPS_RESOURCE_EXHAUSTED, text);
    case JSNotEnabledErr:
    case JSNotEnabledForAccountErr:
    case JSStreamMessageExceedsMaximumErr:
    case JSStreamSealedErr: return Failure(KPS_FAILED_PRECONDITION, text);
    default: break;
  }
  if (code == 404) return Failure(KPS_NOT_FOUND, text);
  if (code == 400) return Failure(KPS_FAILED_PRECONDITION, text);
  return Failure(KPS_UNAVAILABLE, text);
}

}  // namespace kps::plugins
