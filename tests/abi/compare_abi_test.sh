#!/bin/sh
# compare_abi.sh and compare_constants.sh accept what the rules of kps/types.h allow, and nothing else:
#   compare_abi_test.sh TESTS_ABI
# Each case changes a copy of the headers, without their own checks, and builds the plugin against it.
set -u
abi=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

build() { # INCLUDE NAME
  # -w: a plugin whose functions do not fit any more is what some of the cases are about
  cc -g -w -shared -fPIC -I"$1" "$abi/v1/plugin.c" -o "$work/$2.so" || { echo "$2 does not compile" >&2; exit 1; }
}

changed() { # NAME HEADER SED_SCRIPT: $work/NAME.so
  rm -rf "$work/include"
  cp -r "$abi/v1/include" "$work/include"
  sed -i -e '/^KPS_FROZEN(/d' -e '/^KPS_STATIC_ASSERT(sizeof(kps_/d' "$work/include/kps/"*.h
  sed "$3" "$work/include/kps/$2" >"$work/header"
  cmp -s "$work/header" "$work/include/kps/$2" && { echo "$1 changes nothing in $2" >&2; exit 1; }
  mv "$work/header" "$work/include/kps/$2"
  build "$work/include" "$1"
}

allowed() { # NAME HEADER SED_SCRIPT
  changed "$@"
  sh "$abi/compare_abi.sh" "$work/old.so" "$work/$1.so" || { echo "refused, though it is right: $1" >&2; failed=1; }
}

broken() { # NAME HEADER SED_SCRIPT
  changed "$@"
  if output=$(sh "$abi/compare_abi.sh" "$work/old.so" "$work/$1.so" 2>&1); then
    echo "let pass, though it is wrong: $1" >&2
    failed=1
  fi
  case $output in
    'The ABI is broken: '*) ;;
    *) echo "$1: $output" >&2; failed=1 ;;
  esac
}

build "$abi/v1/include" old
append_stream='s/^  uint32_t reserved;/&\n  uint64_t appended;/'
append_entry='s/^  const void \*(\*get_extension).*/&\n  void (*appended)(void);/'

allowed appended-field stream.h "$append_stream"
allowed two-appended-fields stream.h "$append_stream;s/  uint64_t appended;/&\n  int64_t another;/"
allowed appended-service host.h 's/^  int32_t (\*should_stop).*/&\n  void (*appended)(void *context);/'
allowed appended-entry plugin.h "$append_entry"
allowed appended-to-an-element message.h 's/^  kps_bytes id;/&\n  uint64_t appended;/'

broken inserted-field stream.h 's/^  int32_t wake_fd;/  uint64_t inserted;\n&/'
broken inserted-and-appended stream.h "$append_stream;s/^  int32_t wake_fd;/  uint64_t inserted;\n&/"
broken inserted-entry plugin.h 's/^  kps_code (\*flush)/  void (*inserted)(void);\n&/'
broken reordered-fields stream.h 's/^  int32_t wake_fd;/  uint32_t was;/;s/^  uint32_t reserved;/  int32_t wake_fd;/;s/uint32_t was;/uint32_t reserved;/'
broken other-type message.h 's/int64_t timestamp_ns/double timestamp_ns/'
broken other-type-and-appended stream.h "$append_stream;s/int32_t wake_fd/float wake_fd/"
broken other-argument plugin.h 's/const kps_limits \*limits, uint32_t timeout_ms/const kps_limits *limits, uint64_t timeout_ms/'
broken other-argument-and-appended plugin.h "$append_entry;s/(kps_producer \*producer, uint32_t/(kps_producer *producer, uint64_t/"
broken larger-text types.h 's/^  const char \*data;/&\n  uint64_t inserted;/'

if sh "$abi/compare_abi.sh" "$work/old.so" "$work/none.so" >/dev/null 2>&1; then
  echo "a file that is not there passes" >&2
  failed=1
fi

constants() { # "accepted" or "refused" HEADER SED_SCRIPT
  rm -rf "$work/include"
  cp -r "$abi/v1/include" "$work/include"
  sed -i "$3" "$work/include/kps/$2"
  if sh "$abi/compare_constants.sh" "$abi/v1/include" "$work/include" 2>/dev/null; then verdict=accepted; else verdict=refused; fi
  [ "$verdict" = "$1" ] || { echo "constants are $verdict after $3" >&2; failed=1; }
}
constants accepted error.h 's/^#define KPS_OK 1$/&\n#define KPS_APPENDED 99/'
constants accepted version.h 's/^#define KPS_VERSION_MAJOR .*/#define KPS_VERSION_MAJOR 9/'
constants refused error.h 's/^#define KPS_UNAVAILABLE 16$/#define KPS_UNAVAILABLE 17/'
constants refused message.h '/^#define KPS_POSITION_SIZE_MAX/d'
constants refused version.h 's/^#define KPS_ABI_VERSION 1$/#define KPS_ABI_VERSION 2/'
if sh "$abi/compare_constants.sh" "$work" "$abi/v1/include" 2>/dev/null; then
  echo "headers without constants pass" >&2
  failed=1
fi
exit $failed
