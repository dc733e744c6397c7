#!/bin/sh
# check_plugin.sh accepts a sound plugin and rejects each kind of bad one, with the reason.
set -u
api=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

build() { # name flags..., source on stdin
  name=$1
  shift
  c++ -x c++ -std=c++17 -fPIC -shared -I"$api/include" "$@" - -o "$work/$name.so" || exit 1
}

expect() { # name, "accepted" or the text of the complaint
  if output=$(sh "$api/cmake/check_plugin.sh" "$work/$1.so" 2>&1); then verdict=accepted; else verdict=$output; fi
  case $verdict in
    *"$2"*) ;;
    *) echo "$1: expected '$2', got '$verdict'" >&2; failed=1 ;;
  esac
}

entry='#include <kps/plugin.h>
const kps_plugin *kps_plugin_v1(uint32_t) { return nullptr; }'

echo "$entry" | build sound -fvisibility=hidden
expect sound accepted
printf '%s\nextern "C" KPS_EXPORT int one_more() { return 1; }\n' "$entry" | build extra -fvisibility=hidden
expect extra "exports more than kps_plugin_v1: one_more"
echo 'int hidden() { return 1; }' | build missing -fvisibility=hidden
expect missing "does not export the function kps_plugin_v1"
# GNU compilers only: clang has no UNIQUE symbols.
if printf '%s\nstruct KPS_EXPORT S { static inline int n = 0; };\nint f() { return S::n++; }\n' "$entry" |
  g++ -x c++ -std=c++17 -fPIC -shared -fvisibility=hidden -I"$api/include" - -o "$work/unique.so" 2>/dev/null; then
  expect unique "UNIQUE"
fi
printf '%s\nthread_local int n;\nint f() { return n++; }\n' "$entry" |
  build static_tls -fvisibility=hidden -ftls-model=initial-exec
expect static_tls "STATIC_TLS"
exit $failed
