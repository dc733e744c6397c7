#!/usr/bin/env bash
# Makes the Debian packages of what was built, looks at them, unpacks them, and uses what is in them.
#   packages.sh BUILD
set -euo pipefail
build=$1
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

fail() {
  echo "packages: $1" >&2
  exit 1
}

cpack -G DEB --config "$build/CPackConfig.cmake" -B "$work" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
if grep -i 'warning' "$work/log"; then fail "cpack warns"; fi
version=$(sed -n 's/^CMAKE_PROJECT_VERSION:.*=//p' "$build/CMakeCache.txt")
architecture=$(dpkg --print-architecture)
host=$work/kps-connector-host_${version}_$architecture.deb
plugins=$work/kps-connector-plugins_${version}_$architecture.deb
dev=$work/kps-plugin-api-dev_${version}_all.deb

field() { # DEB FIELD PATTERN
  local value
  value=$(dpkg-deb --field "$1" "$2")
  [[ $value =~ $3 ]] || fail "$(basename "$1"): $2 is \"$value\", which has no $3"
}
field "$host" Depends 'libgrpc\+\+1.*libstdc\+\+6'
field "$host" Recommends 'kps-connector-plugins'
field "$plugins" Depends 'libc6.*libstdc\+\+6'
field "$dev" Depends '^rapidjson-dev$'
field "$dev" Architecture '^all$'
for package in "$host" "$plugins" "$dev"; do
  field "$package" Maintainer '@'
  field "$package" Description $'^[^\n]+\n [^\n]'
  # What is in it belongs to root, and nobody else can write to it.
  wrong=$(dpkg-deb --contents "$package" | awk '$2 != "root/root" || $1 !~ /^.....-..-./' || true)
  [[ -z $wrong ]] || fail "$(basename "$package") has files of the wrong owner or mode: $wrong"
  dpkg-deb --extract "$package" "$work/root"
done

for program in kps-connector kps-connector-host; do
  readelf --sections --wide "$work/root/usr/bin/$program" | grep -q ' \.debug_info' && fail "$program is not stripped"
done
for file in usr/lib/kps-connector/plugins/file.so usr/include/kps/plugin.hpp usr/share/pkgconfig/kps-plugin-api.pc \
  usr/share/kps-connector/proto/connector/v1/connector.proto usr/share/doc/kps-connector-host/copyright; do
  [[ -f $work/root/$file ]] || fail "no package has $file"
done

"$here/stranger.sh" "$work/root/usr" bundled
"$here/stranger.sh" "$work/root/usr" pkg_config
