// Parameters that nobody expects: some valid, some nearly, some not JSON at all.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace kps::cli {

// The same seed makes the same documents. Nothing in them leads out of the current directory.
class HostileParameters {
 public:
  // `sample` is a JSON object that is spoiled in another way each time.
  HostileParameters(std::string sample, std::uint64_t seed);
  std::string Next();

 private:
  std::string Spoiled();
  std::string Garbage();

  const std::string sample_;
  std::mt19937_64 random_;
};

}  // namespace kps::cli
