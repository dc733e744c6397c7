#!/usr/bin/env bash
# Runs a fuzzer: run.sh PROGRAM CORPUS WORK_FOLDER.   run.sh --skip REASON says why there is none.
# New inputs are kept in WORK_FOLDER, and what fails as WORK_FOLDER/crash-*: PROGRAM FILE runs it again.
set -euo pipefail

if [[ $1 == --skip ]]; then
  echo "$2"
  exit 77
fi
program=$1 corpus=$2 work=$3
seconds=${KPS_FUZZ_SECONDS:-60}
if [[ ! $seconds =~ ^[0-9]+$ ]]; then
  echo "KPS_FUZZ_SECONDS=$seconds: a whole number of seconds is needed" >&2
  exit 1
fi
# For libFuzzer, no limit of time is what 0 means.
limit=(-max_total_time="$seconds")
if [[ $seconds -eq 0 ]]; then limit=(-runs=0); fi

# The freed memory that AddressSanitizer holds back fits into the limit.
export ASAN_OPTIONS=quarantine_size_mb=64
mkdir -p "$work/corpus"
# libFuzzer's own code for a finding is 77, which would pass for a skipped test.
"$program" "${limit[@]}" -max_len=4096 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 \
  -error_exitcode=1 -timeout_exitcode=1 -artifact_prefix="$work/" "$work/corpus" "$corpus" || exit 1
