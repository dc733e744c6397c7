// Counts what a thread allocates: this program's own operator new stands before the library's.
#pragma once

#include <cstddef>

namespace kps::test {

// Calls of operator new on this thread so far.
std::size_t AllocationCount();

}  // namespace kps::test
