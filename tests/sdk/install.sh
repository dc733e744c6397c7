#!/usr/bin/env bash
# Installs what was built, then moves it away from where it was installed: nothing in it may name its place.
#   install.sh BUILD PREFIX
set -euo pipefail
build=$1 prefix=$2

rm -rf -- "$prefix" "$prefix.first"
cmake --install "$build" --prefix "$prefix.first" >/dev/null
mv -- "$prefix.first" "$prefix"

source=$(sed -n 's/^CMAKE_HOME_DIRECTORY:.*=//p' "$build/CMakeCache.txt")
if grep -rlF -e "$prefix" -e "$build" -e "$source" -- "$prefix/include" "$prefix/share"; then
  echo "these files name the place of the build or of the installation" >&2
  exit 1
fi
