#!/usr/bin/env bash
# Each rule of check_text.sh, broken on a small tree of its own.
set -euo pipefail
check=$(realpath "$(dirname "${BASH_SOURCE[0]}")/check_text.sh")
tree=$(mktemp -d)
trap 'rm -rf -- "$tree"' EXIT
failures=0

fresh_tree() {
  rm -rf -- "${tree:?}"/*
  mkdir -p "$tree/host" "$tree/scripts" "$tree/plugins/file"
  printf 'int main() {}\n' >"$tree/host/main.cc"
  printf '#!/usr/bin/env bash\ntrue\n' >"$tree/scripts/demo"
  chmod +x "$tree/scripts/demo"
  touch "$tree/plugins/file/CMakeLists.txt" "$tree/plugins/file/README.md"
}

refused() { # WHERE
  local output
  if output=$("$check" "$tree" 2>&1) || [[ $output != *"$1"* ]]; then
    echo "let pass, or refused without its place: $1: $output"
    failures=$((failures + 1))
  fi
}

fresh_tree
if ! "$check" "$tree"; then
  echo "a tree that is right is refused"
  failures=$((failures + 1))
fi

for word in TODO FIXME XXX HACK; do
  fresh_tree
  printf '// %s: later\n' "$word" >>"$tree/host/main.cc"
  refused "host/main.cc:2:"
done

fresh_tree
printf 'int x;' >>"$tree/host/main.cc"
refused "host/main.cc: ends without a newline"

fresh_tree
printf 'true\n' >"$tree/scripts/demo"
refused "scripts/demo:1: a script begins"

fresh_tree
printf '#!/usr/bin/env bash\nif true\n' >"$tree/scripts/demo"
refused "scripts/demo: bash cannot read it"

fresh_tree
chmod -x "$tree/scripts/demo"
refused "scripts/demo: is not executable"

fresh_tree
rm "$tree/plugins/file/README.md"
refused "plugins/file/: a plugin has a README.md"

rm -rf -- "${tree:?}"/*
refused "nothing was checked"

if [[ $failures -gt 0 ]]; then
  echo "$failures rules are not kept by check_text.sh"
  exit 1
fi
