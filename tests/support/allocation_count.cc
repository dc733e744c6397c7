// On its own: where the compiler can put these functions in line, it takes malloc and delete for a mismatch.
#include "tests/support/allocation_count.h"

#include <cstdlib>
#include <new>

namespace {
thread_local std::size_t allocation_count = 0;
}

std::size_t kps::test::AllocationCount() { return allocation_count; }

void* operator new(std::size_t size) {
  ++allocation_count;
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
