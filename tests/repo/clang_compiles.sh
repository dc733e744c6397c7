#!/usr/bin/env bash
# Fails on what clang warns about, for one the thread-safety annotations, which g++ does not read.
#   clang_compiles.sh ROOT BUILD     builds what is shipped, without the tests, in the folder BUILD
set -euo pipefail
root=$1 build=$2
command -v clang++ >/dev/null || { echo "clang++ is not installed: scripts/install-dependencies --test" >&2; exit 1; }

# Warnings come without optimization, too, and faster. The folder stays, so that only what changed is built again.
if ! CC=clang CXX=clang++ cmake -S "$root" -B "$build" -G Ninja -DCMAKE_CXX_FLAGS=-O0 -DKPS_BUILD_TESTS=OFF >"$build.log" 2>&1; then
  cat "$build.log" >&2
  exit 1
fi
exec ninja -C "$build" -j 2 -k 0 --quiet
