#!/usr/bin/env bash
# Compares the objects of SAMPLES/connector.yaml with Kubernetes' own types. Exit code 77: this machine cannot.
#   check_kubernetes.sh SAMPLES WORK    WORK gets the npm packages, once
set -euo pipefail
samples=$(realpath -- "$1")
work=$2
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")

skip() {
  echo "SKIP: $1" >&2
  exit 77
}
for program in node npm; do
  command -v "$program" >/dev/null || skip "there is no $program"
done

mkdir -p -- "$work"
cd -- "$work"
if ! cmp -s "$here/package-lock.json" installed; then
  cp "$here/package.json" "$here/package-lock.json" .
  # It runs nothing of the packages; what they are is pinned by their hashes.
  npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1 || skip "npm cannot install: $(grep -m 1 . npm.log)"
  cp package-lock.json installed
fi
cp "$here/check_kubernetes.mjs" .
awk -f "$here/fill.awk" "$samples/connector_instance.json" "$samples/connector.yaml" >filled.yaml
exec node check_kubernetes.mjs filled.yaml
