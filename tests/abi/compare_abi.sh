#!/bin/sh
# Fails when a plugin that was built against one version of the headers would not fit another one:
#   compare_abi.sh OLD.so NEW.so     the same plugin, built against the old and against the new headers, with -g
# What may change is that fields are appended to structs. abidiff can ignore appended fields only together with whatever
# else has changed in the same struct, so its report is read here: a line that is none of an appended field is a break.
set -u
report=$(abidiff --leaf-changes-only "$1" "$2")
code=$?
[ "$code" -eq 0 ] && exit 0
if [ $((code & 3)) -ne 0 ]; then # 1: an error, 2: wrong usage
  echo "abidiff cannot compare $1 and $2: $report" >&2
  exit 1
fi

broken=$(echo "$report" | awk '
  /^$/ || /^(Leaf changes|Changed leaf types|Removed\/Changed\/Added (functions|variables)) summary: / { next }
  /^.struct .* changed:$/ { size = -1; next }
  /^  type size changed from [0-9]+ to [0-9]+ \(in bits\)$/ { size = $5; next }
  /^  [0-9]+ data member insertions?:$/ { next }
  /^    .*, at offset [0-9]+ \(in bits\)/ {
    match($0, /, at offset [0-9]+/)
    if (size >= 0 && substr($0, RSTART + 12, RLENGTH - 12) + 0 >= size) next
  }
  { print }')
[ -z "$broken" ] && exit 0
echo "The ABI is broken: fields may be appended to structs (kps/types.h), and nothing else may change." >&2
echo "$report" >&2
exit 1
