#!/usr/bin/env bash
# run.sh fails when a fuzzer finds something, and only then: run_test.sh PLANTED_FUZZER
set -euo pipefail
run=$(realpath "$(dirname "${BASH_SOURCE[0]}")/run.sh")
planted=$1
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
failures=0

expect() { # CODE TEXT COMMAND...
  local code=0 expected=$1 text=$2 output
  shift 2
  output=$("$@" 2>&1) || code=$?
  if [[ $code -eq $expected && $output == *"$text"* ]]; then return; fi
  echo "$*: exit code $code instead of $expected, or no \"$text\" in: $output"
  failures=$((failures + 1))
}

mkdir "$work/sound" "$work/bad"
printf 'sound' >"$work/sound/a"
printf 'bug' >"$work/bad/a"
expect 0 "number_of_executed_units: 2" env KPS_FUZZ_SECONDS=0 "$run" "$planted" "$work/sound" "$work/1"
expect 1 "does not hold" env KPS_FUZZ_SECONDS=0 "$run" "$planted" "$work/bad" "$work/2"
expect 1 "does not hold" env KPS_FUZZ_SECONDS=30 "$run" "$planted" "$work/sound" "$work/3"
compgen -G "$work/3/crash-*" >/dev/null || { echo "the finding was not kept"; failures=$((failures + 1)); }
expect 1 "a whole number" env KPS_FUZZ_SECONDS=long "$run" "$planted" "$work/sound" "$work/4"
expect 1 "" "$run" "$work/absent" "$work/sound" "$work/5"
expect 77 "no clang" "$run" --skip "no clang"
exit $((failures > 0))
