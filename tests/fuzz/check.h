// What a fuzz target claims. A claim that does not hold ends the process with its place, and the fuzzer keeps the
// input.
#pragma once

#include <cstdio>
#include <cstdlib>

#define KPS_FUZZ_CHECK(claim)                                                         \
  do {                                                                                \
    if (!(claim)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #claim); \
      std::abort();                                                                   \
    }                                                                                 \
  } while (false)
