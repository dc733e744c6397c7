#!/usr/bin/env bash
# What README.md tells a reader to type, typed.   readme_test.sh run|swap|deploy
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$KPS_DEMO_BUILD_DIR
work=$(mktemp -d)
host_pid=""
clean_up() {
  if [[ -n $host_pid ]]; then kill -KILL "$host_pid" 2>/dev/null || true; fi
  rm -rf -- "$work"
}
trap clean_up EXIT
unset KPS_PLUGIN KPS_PLUGIN_PATH KPS_STATIC_PARAMETERS CONNECTOR_INSTANCE_ID NATS_BROKER NATS_NAME
export no_grpc_proxy=127.0.0.1

fail() {
  echo "readme_test: $1" >&2
  cat "$work"/*.log >&2 || true
  exit 1
}

# wait_for WHAT FILE PATTERN COMMAND...: runs the command into the file until the pattern is there
wait_for() {
  local what=$1 file=$2 pattern=$3 deadline=$((SECONDS + 60))
  shift 3
  until "$@" >"$file" 2>&1 && grep -q -e "$pattern" "$file"; do
    if ! kill -0 "$host_pid" 2>/dev/null; then fail "the host ended while waiting for $what"; fi
    if ((SECONDS >= deadline)); then cat "$file" >&2; fail "waited in vain for $what"; fi
    sleep 0.05
  done
}

host_listens() {
  wait_for "the host to listen" "$work/address" 'listening on' grep -o 'listening on .*' "$work/host.log"
  KPS_ADDRESS=$(sed 's/.* //' "$work/address")
  export KPS_ADDRESS
}

host_stops() {
  kill -TERM "$host_pid"
  local code=0
  wait "$host_pid" || code=$?
  host_pid=""
  [[ $code -eq 0 ]] || fail "the host ended with exit code $code"
}

readme_run() {
  # Beside other tests: a port and a folder of our own.
  local line
  sed -n '/^## Run it$/,/^## /s/^    //p' README.md |
    sed -e "s|build/release|$build|" -e 's|127\.0\.0\.1:8000|127.0.0.1:0|' \
      -e "s|/tmp/kps-demo|$work/data|g" >"$work/commands"
  [[ -s $work/commands ]] || fail "README.md shows no commands"
  while IFS= read -r line; do
    case "$line" in
      *' &') start_host "$line" ;;
      'kill %1') host_stops ;;
      *' events') wait_for "healthy streams" "$work/events" 'streamHealthy *out' bash -c "$line" ;;
      *) bash -ec "$line" </dev/null || fail "$line" ;;
    esac
  done <"$work/commands"
  [[ -z $host_pid ]] || fail "README.md does not stop the host"
  [[ -s $work/events ]] || fail "README.md does not look at events"
}

exec_in_background() {
  "$@" </dev/null 2>"$work/host.log" &
  host_pid=$!
}

start_host() { # LINE: as README.md has it, with the & at its end
  # shellcheck disable=SC2086
  exec_in_background ${1% &}
  host_listens
}

readme_swap() {
  # The plugin is changed and built in a project of the test's own.
  mkdir -p "$work/project/samples"
  cp -r samples/plugins "$work/project/samples/plugins"
  cat >"$work/project/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.25)
project(walk LANGUAGES C CXX)
set(CMAKE_CXX_STANDARD 20)
set(KPS_SANITIZE "$KPS_SANITIZE")
if(KPS_SANITIZE)
  add_compile_options(-fsanitize=\${KPS_SANITIZE})
  add_link_options(-fsanitize=\${KPS_SANITIZE})
endif()
set(KPS_PLUGIN_OUTPUT_DIRECTORY \${CMAKE_BINARY_DIR}/plugins)
add_subdirectory($PWD/plugin-api plugin-api)
set(kps-plugin-api_DIR \${CMAKE_SOURCE_DIR}/samples/plugins/in-tree)
add_subdirectory(samples/plugins/template)
END
  cmake -S "$work/project" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release >"$work/cmake.log"
  cmake --build "$work/build" --target template >>"$work/cmake.log"
  sed -n '/^### Change it while it runs$/,/^## /s/^    //p' README.md | grep -v '^INFO' |
    sed -e "s|build/release|$build|" -e 's|127\.0\.0\.1:8000|127.0.0.1:0 --metrics-listen off|' \
      -e "s|/tmp/greetings|$work/greetings|g" -e "s|samples/plugins/template|$work/project/samples/plugins/template|" \
      -e "s|--plugin template|--plugin $work/build/plugins/template.so|" \
      -e "s|--build --preset release|--build $work/build|" >"$work/commands"
  local line saved
  while IFS= read -r line; do
    case "$line" in
      *' &') start_host "$line" ;;
      'kill %1') host_stops ;;
      *' plugin status')
        wait_for "the new version" "$work/status" 'template 0\.2\.0' bash -c "$line"
        echo "save to new code running, with its build: $((($(date +%s%N) - saved) / 1000000)) ms"
        cat "$work/status"
        ;;
      sed*)
        saved=$(date +%s%N)
        bash -ec "$line"
        ;;
      *) bash -ec "$line" </dev/null >>"$work/commands.log" || fail "$line" ;;
    esac
  done <"$work/commands"
  [[ -z $host_pid && -s $work/status ]] || fail "README.md does not look at the plugin, or does not stop the host"
  grep -q 'plugin template 0\.1\.0 -> 0\.2\.0: 1 stream moved, pause .* ms, messages lost 0' "$work/host.log" ||
    fail "the log does not say what README.md shows"
}

# What needs no platform; image.verify runs the pod of samples/.
readme_deploy() {
  sed -n '/^## Deploy$/,/^### The image$/s/^    //p' README.md >"$work/commands"
  local line kind
  local kinds=""
  while IFS= read -r line; do
    case "$line" in
      'make '*) make -n ${line#make } >"$work/make.log" ;;
      'FROM '* | 'COPY '* | kubectl\ *) ;;
      'kps create '*' -f samples/'*)
        [[ -s samples/${line##*samples/} ]] || fail "there is no file of: $line"
        kind=${line#kps create }
        kinds+="${kind%% *} "
        ;;
      'kps-connector plugin class mqtt '*) bash -ec "$build/bin/${line/--dir /--dir $work/}" >"$work/class.log" ;;
      'kps-connector config set '*)
        exec_in_background "$build/bin/kps-connector-host" --plugin mqtt --listen 127.0.0.1:0 --metrics-listen off \
          --connectorInstanceID mqtt-instance
        host_listens
        bash -ec "$build/bin/$line" >"$work/set.log" || fail "$line"
        host_stops
        ;;
      *) fail "nobody tries what README.md shows: $line" ;;
    esac
  done <"$work/commands"
  [[ $kinds == "connectorclass connectorinstance connectorstream connectorstream datapipeline " ]] ||
    fail "README.md creates $kinds"
  grep -q 'scripts/image --push registry.example/kps-connector-host:0.1.0' "$work/make.log" ||
    fail "make does not push the image that README.md names"
  cmp "$work/class/connector.yaml" samples/connector.yaml || fail "README.md makes another class than samples/"
}

case "${1:-}" in
  run | swap | deploy) "readme_$1" ;;
  *) fail "readme_test.sh run|swap|deploy" ;;
esac
