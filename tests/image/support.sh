# shellcheck shell=bash
# What the checks of the image share. They run in a network of their own, and in the store that scripts/verify-image has
# made; kps:full and kps:slim are in it.
set -euo pipefail
shopt -s inherit_errexit
build=$KPS_VERIFY_BUILD
work=$KPS_VERIFY_WORK
connector=$build/bin/kps-connector
export no_grpc_proxy=127.0.0.1
ip link set lo up

pids=()
end_servers() {
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
}
trap end_servers EXIT

# What has not come by then does not come.
deadline_s=60

step() { printf '== %s\n' "$*"; }
fail() {
  echo "$(basename "$0"): $1" >&2
  podman ps --all >&2 || true
  for container in $(podman ps --all --quiet); do podman logs --tail 40 "$container" >&2 || true; done
  exit 1
}

# wait_until WHAT COMMAND...
wait_until() {
  local what=$1 end=$((SECONDS + deadline_s))
  shift
  until "$@" >"$work/waited" 2>&1; do
    if ((SECONDS >= end)); then
      cat "$work/waited" >&2
      fail "waited in vain for $what"
    fi
    sleep 0.05
  done
}

# start NAME IMAGE ARGUMENT...: a container of this name, confined as a pod of the class is. OPTIONS: more for podman.
start() {
  local name=$1 image=$2
  shift 2
  podman run --detach --name "$name" --no-healthcheck --network host --read-only --cap-drop all \
    --security-opt no-new-privileges --memory 128m --pids-limit 128 "${OPTIONS[@]}" "$image" "$@" >/dev/null ||
    fail "$image cannot be run"
}
OPTIONS=()

# inside IMAGE PROGRAM [ARGUMENT...]: in a container, as root
inside() {
  podman run --rm --no-healthcheck --network host --user 0 --entrypoint "$2" "$1" "${@:3}"
}

# As the image's health check does.
probe() { podman exec "$1" kps-connector-host --probe; }

# confined NAME: by what podman was told, and as the image is
confined() {
  local fact
  for fact in '/proc/1/status Uid:.9999' '/proc/1/status CapBnd:.0000000000000000' '/proc/1/status NoNewPrivs:.1' \
    '/proc/1/status Seccomp:.2' '/proc/mounts [^ ]* / [^ ]* ro,'; do
    podman exec "$1" grep -q "^${fact#* }" "${fact%% *}" || fail "$1 is not confined: there is no ${fact#* }"
  done
}

# stops NAME: on a SIGTERM, in order
stops() {
  podman kill --signal TERM "$1" >/dev/null
  ends "$1" 0
}

# ends NAME EXIT_CODE: its output is in $work/NAME.log
ends() {
  local code
  code=$(podman wait "$1")
  podman logs "$1" >"$work/$1.log" 2>&1
  [[ $code -eq $2 ]] || fail "the host ended with exit code $code instead of $2"
  podman rm "$1" >/dev/null
}

says() { # NAME TEXT
  grep -qF -e "$2" "$work/$1.log" || { cat "$work/$1.log" >&2; fail "the host does not say: $2"; }
}

# measure ROUNDS IMAGE PROGRAM [ARGUMENT...]: "MS ms | MB MB", the medians of the time until a SetPayload is answered and of the
# memory then; in the image's files and as its user, without the time that a container takes to start.
measure() {
  local rounds=$1 container root round
  container=$(podman create --no-healthcheck "$2")
  root=$(podman mount "$container")
  for ((round = 0; round < rounds; round++)); do
    "$build/tests/start-time" 8000 "$(command -v chroot)" --userspec=9999:9999 "$root" "${@:3}" || fail "$3 cannot be measured"
  done >"$work/measured"
  podman rm --force "$container" >/dev/null
  printf '%s ms | %s MB' "$(cut -d ' ' -f 1 "$work/measured" | median "$rounds")" \
    "$(cut -d ' ' -f 2 "$work/measured" | median "$rounds" | awk '{printf "%.1f", $1 * 1024 / 1e6}')"
}
median() { sort -n | sed -n "$(($1 / 2 + 1))p"; }
