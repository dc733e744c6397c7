#!/bin/sh
# Fails when a linked plugin could not be loaded, or not be unloaded again: check_plugin.sh PLUGIN.so [readelf]
# Looks at the file only; nothing of the plugin runs.
set -u
plugin=$1
readelf=${2:-readelf}
entry=kps_plugin_v1
failed=0

reject() {
  echo "$plugin: $1" >&2
  failed=1
}

symbols=$("$readelf" --dyn-syms --wide "$plugin") || { reject "$readelf cannot read it"; exit 1; }
dynamic=$("$readelf" --dynamic --wide "$plugin") || { reject "$readelf cannot read it"; exit 1; }

# Columns: Num Value Size Type Bind Vis Ndx Name
defined=$(echo "$symbols" | awk '$1 ~ /^[0-9]+:$/ && $7 != "UND" && $8 != "" { sub(/@.*/, "", $8); print $4, $5, $8 }')

echo "$defined" | grep -q "^FUNC GLOBAL $entry\$" || reject "does not export the function $entry: is KPS_PLUGIN there?"

unique=$(echo "$defined" | awk '$2 == "UNIQUE" { print $3 }' | tr '\n' ' ')
[ -z "$unique" ] || reject "has UNIQUE symbols, so it would never be unloaded: $unique(use -fno-gnu-unique)"

further=$(echo "$defined" | awk -v entry="$entry" '$3 != "" && $3 != entry { print $3 }' | head -n 10 | tr '\n' ' ')
[ -z "$further" ] || reject "exports more than $entry: $further(link with kps_plugin.map)"

echo "$dynamic" | grep -q STATIC_TLS &&
  reject "has the STATIC_TLS flag, so a running host may refuse it: do not use -ftls-model=initial-exec"

exit $failed
