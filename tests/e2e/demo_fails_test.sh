#!/usr/bin/env bash
# scripts/demo ends with an error, and no process of its own goes on, when something is wrong.
set -euo pipefail
root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
build=$KPS_DEMO_BUILD_DIR
mkdir -p "$work/tmp" "$work/build/bin"
ln -s "$build/plugins" "$work/build/plugins"
ln -s "$build/bin/kps-connector" "$work/build/bin/kps-connector"

fail() {
  echo "demo_fails_test: $1" >&2
  exit 1
}

# SITUATION  HOST (a script)  WHAT IS SAID
demo_fails() {
  printf '#!/usr/bin/env bash\necho $$ >>%q\n%s\n' "$work/pids" "$2" >"$work/build/bin/kps-connector-host"
  chmod +x "$work/build/bin/kps-connector-host"
  : >"$work/pids"
  if KPS_DEMO_BUILD_DIR=$work/build TMPDIR=$work/tmp "$root/scripts/demo" </dev/null >"$work/output" 2>&1; then
    cat "$work/output"
    fail "$1: passes"
  fi
  grep -q -e "$3" "$work/output" || { cat "$work/output"; fail "$1: does not say \"$3\""; }
  local pid
  while read -r pid; do
    if kill -0 "$pid" 2>/dev/null; then fail "$1: process $pid goes on"; fi
  done <"$work/pids"
}

demo_fails "a host that ends at once" "echo 'no such plugin' >&2; exit 2" "the host ended while waiting"
grep -q 'no such plugin' "$work/output" || fail "the host's log is not shown"
demo_fails "a host that nobody can talk to" "echo 'listening on 127.0.0.1:9' >&2; exec sleep 300" "did not take the streams"
demo_fails "a host that ends with an error" "
  '$build/bin/kps-connector-host' \"\$@\" & trap 'kill \$!; wait \$!; exit 7' TERM; wait" "ended with exit code 7"

if "$root/scripts/demo" --no-such-option >"$work/output" 2>&1; then fail "an unknown option passes"; fi
grep -q '^usage:' "$work/output" || fail "an unknown option gets no usage"
