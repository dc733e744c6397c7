#!/usr/bin/env bash
# Prints README's figures of the image, as a table. Run by scripts/verify-image --figures.
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"
rounds=21

megabytes() { # IMAGE
  podman image inspect --format '{{.Size}}' "$1" | awk '{printf "%.0f MB", $1 / 1e6}'
}

row() { # NAME IMAGE PROGRAM [ARGUMENT...]
  local size measured
  size=$(megabytes "$2")
  measured=$(measure "$rounds" "${@:2}")
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
