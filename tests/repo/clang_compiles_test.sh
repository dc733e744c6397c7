#!/usr/bin/env bash
# clang_compiles.sh passes what clang accepts, and refuses what only clang finds.
set -euo pipefail
check=$(dirname "$(realpath "${BASH_SOURCE[0]}")")/clang_compiles.sh
tree=$(mktemp -d)
trap 'rm -rf -- "$tree"' EXIT
mkdir "$tree/source"
cat >"$tree/source/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(tree LANGUAGES CXX)
add_library(tree tree.cc)
target_compile_options(tree PRIVATE -Wall -Wextra -Werror)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(tree PRIVATE -Wthread-safety)
endif()
END
cat >"$tree/tree.cc" <<'END'
struct __attribute__((capability("mutex"))) Mutex {
  void Lock() __attribute__((acquire_capability()));
  void Unlock() __attribute__((release_capability()));
};
Mutex mutex;
int value __attribute__((guarded_by(mutex)));
void Set() {
  mutex.Lock();
  value = 1;
  mutex.Unlock();
}
END

fail() {
  cat "$tree/output" >&2
  echo "clang_compiles_test: $1" >&2
  exit 1
}

cp "$tree/tree.cc" "$tree/source/tree.cc"
"$check" "$tree/source" "$tree/build" >"$tree/output" 2>&1 || fail "refuses what is sound"
sed -e '/mutex\./d' "$tree/tree.cc" >"$tree/source/tree.cc"
if "$check" "$tree/source" "$tree/build" >"$tree/output" 2>&1; then fail "passes a guarded value that is set without its mutex"; fi
grep -q "holding mutex 'mutex'" "$tree/output" || fail "does not say what is wrong"
echo 'project(' >"$tree/source/CMakeLists.txt"
if "$check" "$tree/source" "$tree/build" >"$tree/output" 2>&1; then fail "passes what cannot be configured"; fi
