#!/usr/bin/env bash
# Fails on what should not be shipped: check_text.sh ROOT
# Unfinished business in sources, scripts that are not scripts, files without a last newline.
set -euo pipefail
cd "$1"

status=0
refuse() {
  echo "$1" >&2
  status=1
}

places=()
for place in CMakeLists.txt CMakePresets.json Dockerfile Makefile .github proto plugin-api host cli packaging plugins samples scripts; do
  if [[ -e $place ]]; then places+=("$place"); fi
done
if [[ ${#places[@]} -eq 0 ]]; then
  echo "$PWD holds nothing that is shipped: nothing was checked" >&2
  exit 1
fi

while IFS= read -r hit; do
  refuse "$hit: finish it, or write an issue"
done < <(grep -rnwE 'TODO|FIXME|XXX|HACK' "${places[@]}")

while IFS= read -r -d '' file; do
  [[ -s $file && -n $(tail -c 1 -- "$file") ]] && refuse "$file: ends without a newline"
  case $file in
    scripts/* | *.sh)
      interpreter=""
      read -r interpreter <"$file" || true
      [[ $interpreter == '#!'* ]] || refuse "$file:1: a script begins with #!"
      if [[ $interpreter == *bash ]]; then bash -n "$file" || refuse "$file: bash cannot read it"; fi
      ;;&
    scripts/*) [[ -x $file ]] || refuse "$file: is not executable" ;;
  esac
done < <(find "${places[@]}" -type f -print0)

for folder in plugins/*/ samples/plugins/*/; do
  if [[ -f ${folder}CMakeLists.txt && ! -f ${folder}README.md ]]; then refuse "$folder: a plugin has a README.md"; fi
done
exit $status
