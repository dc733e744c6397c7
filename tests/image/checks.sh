#!/usr/bin/env bash
# The image, one container at a time. Run by scripts/verify-image.
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"

config() { # IMAGE FORMAT EXPECTED
  local value
  value=$(podman image inspect --format "$2" "$1")
  [[ $value == "$3" ]] || fail "$1: $2 is $value instead of $3"
}
plugins_of() { inside "$1" ls /connectors/plugins | sed 's/\.so$//'; }

step "What the image says of itself"
config kps:full '{{.Config.User}}' 9999:9999
config kps:full '{{json .Config.Entrypoint}}' '["kps-connector-host"]'
config kps:full '{{json .HealthCheck.Test}}' '["CMD","kps-connector-host","--probe"]'
config kps:full '{{index .Labels "org.opencontainers.image.version"}}' "$("$connector" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)"
config kps:full '{{index .Labels "org.opencontainers.image.licenses"}}' Apache-2.0
config kps:full '{{index .Labels "org.opencontainers.image.title"}}' kps-connector-host

step "Nothing of the build is in it"
inside kps:full sh -c '
  for program in gcc cc cmake ninja curl; do if command -v "$program"; then exit 1; fi; done
  find / -xdev \( -name "*.deb" -o -name "*.h" -o -name "*.a" \) ! -path "/proc/*" | grep . && exit 1
  exit 0' || fail "that should not be in the image"

step "Answers the first SetPayload"
measured=$(measure 1 kps:full kps-connector-host --plugin generator)
echo "start and memory: $measured"

# Those that were built here, without those that are samples.
full=$(plugins_of kps:full)
expected=$(cmake --install "$build" --component plugins --prefix "$work/installed" >/dev/null &&
  ls "$work/installed/lib/kps-connector/plugins" | sed 's/\.so$//')
[[ $full == "$expected" ]] || fail "the image has the plugins $full instead of $expected"
for plugin in $full; do
  step "Runs $plugin"
  start "$plugin" kps:full --plugin "$plugin"
  wait_until "$plugin to be ready" probe "$plugin"
  confined "$plugin"
  stops "$plugin"
  says "$plugin" "plugin $plugin "
  says "$plugin" "listening on 0.0.0.0:8000"
  grep -E ' (WARN|ERROR) ' "$work/$plugin.log" && fail "the host complains"
done

step "Names the plugins that exist"
for arguments in "" "--plugin nonesuch"; do
  # shellcheck disable=SC2086
  start unknown kps:full $arguments
  ends unknown 2
  for plugin in $full; do says unknown "$plugin"; done
done

step "Runs a plugin that a volume brings"
OPTIONS=(--volume "$build/plugins/template.so:/connectors/plugins/template.so:ro")
start volume kps:full --plugin template
OPTIONS=()
wait_until "the plugin of the volume" probe volume
stops volume
says volume "plugin template "

step "Runs a plugin that a further layer brings"
mkdir -p "$work/layer"
cp "$build/plugins/template.so" "$work/layer"
printf 'FROM kps:full\nCOPY template.so /connectors/plugins/\nENV KPS_PLUGIN=template\n' >"$work/layer/Dockerfile"
buildah build --pull-never --network host --format docker --isolation chroot -t kps:layer "$work/layer" >"$work/log" 2>&1 ||
  { cat "$work/log" >&2; fail "a layer cannot be added"; }
start layer kps:layer
wait_until "the plugin of the layer" probe layer
stops layer
says layer "plugin template "

step "Runs where nothing at all can be written to, and says what that means"
OPTIONS=(--read-only-tmpfs=false)
start nowhere kps:full --plugin file
OPTIONS=()
wait_until "the host without /tmp" probe nowhere
stops nowhere
says nowhere "Set TMPDIR to a directory"

step "The slim image has two plugins, and not the libraries of others"
slim=$(plugins_of kps:slim)
[[ $slim == $'file\nmqtt' ]] || fail "the slim image has the plugins $slim"
inside kps:slim sh -c '! ldconfig -p | grep -E "librdkafka|libmicrohttpd"' ||
  fail "the slim image has libraries of plugins that it does not have"
start slim kps:slim --plugin mqtt
wait_until "mqtt in the slim image" probe slim
stops slim
start slim kps:slim --plugin kafka
ends slim 2
says slim 'there is no plugin "kafka"'
for plugin in file mqtt; do says slim "$plugin"; done
