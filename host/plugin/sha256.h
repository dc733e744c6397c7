// The hash by which two plugin files are told apart.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace kps {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Add(const void* data, std::size_t size);
  // Lower-case hex, once; empty: libcrypto failed.
  std::string Finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace kps
