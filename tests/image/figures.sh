#!/usr/bin/env bash
# Prints README's figures of the image, as a table. Run by scripts/verify-image --figures.
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"
rounds=21

megabytes() { # IMAGE
  podman image inspect --format '{{.Size}}' "$1" | awk '{printf "%.0f MB", $1 / 1e6}'
}

# measure IMAGE PROGRAM [ARGUMENT...]: median of the start, median of the memory; in the image's files, as its user
measure() {
  local container root
  container=$(podman create --no-healthcheck "$1")
  root=$(podman mount "$container")
  shift
  for ((round = 0; round < rounds; round++)); do
    "$build/tests/start-time" 8000 "$(command -v chroot)" --userspec=9999:9999 "$root" "$@" || fail "$1 cannot be measured"
  done >"$work/measured"
  podman rm --force "$container" >/dev/null
  printf '%s ms | %s MB' "$(cut -d ' ' -f 1 "$work/measured" | median)" \
    "$(cut -d ' ' -f 2 "$work/measured" | median | awk '{printf "%.1f", $1 * 1024 / 1e6}')"
}
median() { sort -n | sed -n "$((rounds / 2 + 1))p"; }

row() { # NAME IMAGE PROGRAM [ARGUMENT...]
  local size measured
  size=$(megabytes "$2")
  measured=$(measure "${@:2}")
  echo "| $1 | $size | $measured |"
}
table=$(
  echo "| image | size | start to the first SetPayload answered | memory then (RSS) |"
  echo "|---|---|---|---|"
  row "all plugins; runs generator" kps:full kps-connector-host --plugin generator
  row "mqtt and file; runs mqtt" kps:slim kps-connector-host --plugin mqtt
  row "a bare gRPC server in C++, made in the same way" hello hello-server 0.0.0.0:8000
  echo "| debian:bookworm-slim alone | $(megabytes docker.io/library/debian:bookworm-slim) | – | – |"
)
echo "$table"
