// A target with a finding planted in it, which run_test.sh expects to be found.
#include <cstdint>
#include <string_view>

#include "tests/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  KPS_FUZZ_CHECK(!bytes.starts_with("bug"));
  return 0;
}
