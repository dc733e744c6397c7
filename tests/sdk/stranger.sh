#!/usr/bin/env bash
# Uses an installed SDK from a folder that knows nothing of this repository.
#   stranger.sh PREFIX bundled                     the installed host runs a bundled plugin, by its name
#   stranger.sh PREFIX pkg_config                  a plugin is built by cc and pkg-config alone
#   stranger.sh PREFIX new LANGUAGE DIRECTION      a new project: the commands that `plugin new` prints, typed; for one
#                                                  direction alone, those that build and test it
#   stranger.sh PREFIX readme README.md            what README.md says of a connector in five minutes, typed
set -euo pipefail
prefix=$1
shift
work=$(mktemp -d)
host_pid=""
clean_up() {
  if [[ -n $host_pid ]]; then kill -KILL "$host_pid" 2>/dev/null || true; fi
  rm -rf -- "$work"
}
trap clean_up EXIT
unset "${!KPS_@}" CMAKE_PREFIX_PATH PKG_CONFIG_PATH CC CXX CFLAGS CXXFLAGS LDFLAGS CONNECTOR_INSTANCE_ID NATS_BROKER \
  NATS_NAME PUSH_GW RUSTFLAGS
export PATH=$prefix/bin:$PATH
export no_grpc_proxy=127.0.0.1
cd "$work"

fail() {
  echo "stranger: $1" >&2
  cat ./*.log >&2 || true
  exit 1
}

# wait_for WHAT PATTERN COMMAND...: until the command prints the pattern
wait_for() {
  local what=$1 pattern=$2 deadline=$((SECONDS + 60))
  shift 2
  until "$@" 2>&1 | grep -e "$pattern" >"$work/found"; do
    if ! kill -0 "$host_pid" 2>/dev/null; then fail "the host ended while waiting for $what"; fi
    if ((SECONDS >= deadline)); then "$@" >&2; fail "waited in vain for $what"; fi
    sleep 0.05
  done
}

start_host() { # OPTION...
  kps-connector-host "$@" --listen 127.0.0.1:0 --metrics-listen off </dev/null 2>"$work/host.log" &
  host_pid=$!
  wait_for "the host to listen" 'listening on' cat "$work/host.log"
  KPS_ADDRESS=$(sed 's/.* //' "$work/found")
  export KPS_ADDRESS
}

stop_host() {
  local code=0
  kill -TERM "$host_pid"
  wait "$host_pid" || code=$?
  host_pid=""
  [[ $code -eq 0 ]] || fail "the host ended with exit code $code"
}

# Every stream that is set carries messages.
streams_are_healthy() { # STREAM...
  local stream
  for stream in "$@"; do wait_for "the stream $stream" "streamHealthy *$stream " kps-connector events; done
}

bundled() {
  start_host --plugin generator
  echo '{"name": "numbers", "direction": "INGRESS", "stream": {}}' >numbers.json
  kps-connector streams set numbers.json
  streams_are_healthy numbers
  stop_host
}

pkg_config() {
  export PKG_CONFIG_PATH=$prefix/share/pkgconfig
  kps-connector plugin new pure --lang c >/dev/null
  # What a library would export beside the plugin is kept in.
  echo '__attribute__((visibility("default"))) int one_more(void) { return 1; }' >one_more.c
  # shellcheck disable=SC2046
  cc -shared -Wall -Wextra -Werror $(pkg-config --cflags kps-plugin-api) pure/plugin.c one_more.c -o pure.so \
    $(pkg-config --libs kps-plugin-api)
  sh "$(pkg-config --variable=check_plugin kps-plugin-api)" pure.so
  start_host --plugin ./pure.so
  kps-connector streams set pure/stream_*.json
  streams_are_healthy in out
  stop_host
}

run() { # PATTERN COMMAND: its output has the pattern, and no warning
  eval "$2" >"$work/command.log" 2>&1 </dev/null || fail "$2"
  [[ -z $1 ]] || grep -qe "$1" "$work/command.log" || fail "$2 does not say $1"
  if grep -i 'warning' "$work/command.log"; then fail "$2 warns"; fi
}

# type_commands FILE STREAM...: one after the other; the host that they start has to run the streams
type_commands() {
  local file=$1 line
  shift
  while IFS= read -r line <&3; do
    case $line in
      kps-connector-host\ *\ \&)
        # With a port of its own.
        line=${line#kps-connector-host } line=${line% &}
        # shellcheck disable=SC2086
        start_host ${line/--listen 127.0.0.1:8000/}
        ;;
      'kps-connector plugin run '*stream_ingress*) run ' 3$' "$line --count 3" ;;
      'kps-connector plugin run '*stream_egress*) run 'delivered 2,' "printf 'a\nb\n' | $line" ;;
      'kps-connector events') streams_are_healthy "$@" ;;
      'kill %1') stop_host ;;
      cd\ *) cd "${line#cd }" || fail "$line" ;;
      'kps-connector '* | cmake\ * | ctest\ * | cargo\ * | cp\ * | install\ *) run '' "$line" ;;
      *) fail "what is this command: $line" ;;
    esac
  done 3<"$file"
  [[ -z $host_pid && -n ${KPS_ADDRESS:-} ]] || fail "the commands do not run the plugin in a host, and stop it"
}

new() { # LANGUAGE DIRECTION
  kps-connector plugin new my-plugin --lang "$1" --direction "$2" >printed.log
  sed -n 's/^    //p' printed.log >commands
  [[ -s commands ]] || fail "no commands are printed"
  if [[ $2 == both ]]; then
    type_commands "$work/commands" in out
    return
  fi
  local line
  while IFS= read -r line <&3; do
    case $line in
      kps-connector*) return ;;
      cd\ *) cd "${line#cd }" || fail "$line" ;;
      *) run '' "$line" ;;
    esac
  done 3<commands
  fail "the commands run nothing"
}

readme() { # FILE
  local section=$work/section
  sed -n '/^## Write a connector/,/^### /p' "$1" >"$section"
  # The installation is there already, and the folder is another.
  sed -e '/^```cpp$/,/^```$/d' "$section" | sed -n 's/^    //p' | grep -v -e '^cmake --install ' -e '^export PATH=' |
    sed -e "s|^cd /tmp$|cd $work|" >commands
  sed -n '/^```cpp$/,/^```$/{/^```/d;p}' "$section" >"$work/plugin.cc"
  [[ -s commands && -s $work/plugin.cc ]] || fail "$1 shows no commands, or no plugin"
  # The reader puts it there when he is in the folder.
  sed -i "s|^cmake -B build$|cp $work/plugin.cc plugin.cc; cmake -B build|" commands
  export CMAKE_PREFIX_PATH=$prefix
  type_commands "$work/commands" in
}

"$@"
