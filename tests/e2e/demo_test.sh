#!/usr/bin/env bash
# scripts/demo passes, leaves nothing behind, and prints what README.md shows.   demo_test.sh memory|nats
set -euo pipefail
root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
mkdir "$work/tmp"
arguments=()
if [[ $1 == nats ]]; then arguments=(--nats); fi

cd "$work"
if ! TMPDIR=$work/tmp "$root/scripts/demo" "${arguments[@]}" </dev/null >output 2>errors; then
  cat output errors
  exit 1
fi
cat output

fail() {
  echo "demo_test: $1" >&2
  exit 1
}
[[ ! -s errors ]] || fail "it printed to stderr: $(cat errors)"
[[ -z $(ls -A tmp) ]] || fail "it left $(ls -A tmp)"
grep -qx 'exit code 0' output || fail "it does not say that the host ended with 0"
if [[ $1 == nats ]]; then
  grep -q '^nats-server listens on nats://127' output || fail "it used no nats-server"
  exit 0
fi

# Numbers, the file that was found, and places differ from run to run.
without_chance() {
  sed -E -e "s|${KPS_DEMO_BUILD_DIR}|build/release|g" -e 's|/[^ "]*/kps-demo\.[A-Za-z0-9]+|DIR|g' \
    -e 's%(/var/log/dpkg\.log|/usr/share/common-licenses/GPL-3|/etc/services|/etc/passwd)%FILE%g' \
    -e 's/[0-9]+/N/g' -e 's/ +/ /g'
}
sed -n '/^<!-- demo:begin -->$/,/^<!-- demo:end -->$/p' "$root/README.md" | grep -v -e '^<!--' -e '^```' >shown
[[ -s shown ]] || fail "README.md shows no output of the demo"
without_chance <shown >shown.plain
without_chance <output >output.plain
# All that README.md shows from the first line on stands in the output, in one piece.
first=$(grep -nFx -m 1 -e "$(head -n 1 shown.plain)" output.plain | cut -d : -f 1) || fail "README.md shows another output"
tail -n "+$first" output.plain | head -n "$(wc -l <shown.plain)" | diff - shown.plain >&2 ||
  fail "README.md shows another output than the demo has (>)"
