#!/bin/sh
# Fails when a constant of the old headers is gone from the new ones, or has another value:
#   compare_constants.sh OLD_INCLUDE NEW_INCLUDE
# The version of the project is none of them.
set -u

constants() { # INCLUDE
  cat "$1"/kps/*.h | sed -n 's,[[:space:]]*/\*.*,,; s/^#define \(KPS_[A-Z0-9_]* .*\)/\1/p' | grep -v '^KPS_VERSION_' | sort
}

old=$(constants "$1")
new=$(constants "$2")
[ -n "$old" ] || { echo "$1 has no constants: nothing was compared" >&2; exit 1; }
status=0
while read -r constant; do
  echo "$new" | grep -qxF -e "$constant" && continue
  echo "$constant: it is gone, or has another value" >&2
  status=1
done <<END
$old
END
exit $status
