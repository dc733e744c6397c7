#include "host/plugin/sha256.h"

#include <openssl/evp.h>

#include "host/plugin/hex.h"

namespace kps {

struct Sha256::Context {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  bool ok = digest != nullptr && EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}
Sha256::~Sha256() = default;

void Sha256::Add(const void* data, std::size_t size) {
  context_->ok = context_->ok && EVP_DigestUpdate(context_->digest.get(), data, size) == 1;
}

std::string Sha256::Finish() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (!context_->ok || EVP_DigestFinal_ex(context_->digest.get(), digest, &size) != 1) return "";
  return ToHex(digest, size);
}

}  // namespace kps
