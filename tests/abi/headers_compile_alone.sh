#!/bin/sh
# Every header of plugin-api compiles alone, in the oldest and the newest standard, with each compiler that is there.
set -u
include=$1
flags="-fsyntax-only -Wall -Wextra -Wpedantic -Werror -I$include"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
compiled=0

compile() { # compiler language standard header
  # A declaration follows, because a translation unit must not be empty (version.h has only macros).
  printf '#include <%s>\nint kps_not_empty(void);\n' "$4" >"$work/unit"
  if $1 -x "$2" -std="$3" $flags "$work/unit"; then
    compiled=$((compiled + 1))
  else
    echo "FAILED: $1 -std=$3 $4" >&2
    failed=1
  fi
}

for header in $(cd "$include" && find kps -name '*.h' -o -name '*.hpp' | sort); do
  for cxx in g++ clang++; do
    command -v $cxx >/dev/null || continue
    for standard in c++11 c++20; do compile $cxx c++ $standard "$header"; done
  done
  case $header in *.hpp) continue ;; esac
  for cc in gcc clang; do
    command -v $cc >/dev/null || continue
    for standard in c99 c17; do compile $cc c $standard "$header"; done
  done
done

echo "$compiled compilations"
[ "$compiled" -gt 0 ] || failed=1
exit $failed
