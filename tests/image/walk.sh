#!/usr/bin/env bash
# README's walk, from the class to messages, with samples/ as they are: the pod of the class, the streams and the config;
# podman is in the place of the platform. Run by scripts/verify-image.
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"
samples=$PWD/samples
pod=mqtt-connector

# get PORT PATH: the status and the body
get() {
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return
  printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3
  cat <&3
  exec 3>&-
}
answers() { get 9090 "$1" | head -n 1 | grep -q " $2 "; }
is_running() { [[ $("$connector" streams get | grep -c ' running ') -eq $1 ]]; }

step "The platform's NATS server"
nats-server --addr 127.0.0.1 --port 4222 >"$work/nats.log" 2>&1 &
pids+=($!)
wait_until "the NATS server" bash -c '</dev/tcp/127.0.0.1/4222'

step "Class and instance: the pod"
# The platform fills the template and says where NATS is. For podman, volumes are claims, and none is optional; the image is
# the one at hand; its network is this one, without ports to map; and its probes would need a curl in the image.
awk -f tests/samples/fill.awk "$samples/connector_instance.json" "$samples/connector.yaml" |
  sed -e 's|mqtt://broker.example:1883|mqtt://127.0.0.1:1883|' -e 's|image: ".*"|image: localhost/kps:full|' \
    -e 's/imagePullPolicy: Always/imagePullPolicy: Never/' -e 's/optional: true/optional: false/' \
    -e '/^ *ports:$/,/containerPort: 9090/d' -e '/Probe:$/,/port: /d' -e '/periodSeconds:/d' \
    -e 's/^\( *\)env:$/&\n\1  - {name: NATS_BROKER, value: "nats:\/\/127.0.0.1:4222"}/' \
    -e 's/^\( *\)containers:$/\1hostNetwork: true\n&/' \
    -e '/- name: state$/{n;s/emptyDir: {}/persistentVolumeClaim: {claimName: walk-state}/}' \
    -e '/- name: tmp$/{n;s/emptyDir: {}/persistentVolumeClaim: {claimName: walk-tmp}/}' \
    >"$work/pod.yaml"
grep -q '{{' "$work/pod.yaml" && fail "a parameter is not filled"
cat >"$work/secret.yaml" <<SECRET
apiVersion: v1
kind: Secret
metadata:
  name: $pod-credentials
data:
  password: $(printf walk-%s $RANDOM | base64)
SECRET
podman play kube "$work/secret.yaml" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "no Secret can be made"; }
podman play kube "$work/pod.yaml" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "the pod cannot be started"; }
container=$pod-pod-0-$pod
wait_until "readiness" answers /readyz 200
answers /livez 200 || fail "the pod is not alive"
confined "$container"

step "The plant's broker, which knows the password of the Secret"
# As the pod sees it: podman 4.3 leaves it in base64.
password=$(podman exec "$container" cat /connectors/credentials/password)
mosquitto_passwd -b -c "$work/passwords" kps "$password" 2>/dev/null
printf 'user root\nlistener 1883 127.0.0.1\nallow_anonymous false\npassword_file %s\n' "$work/passwords" >"$work/mosquitto.conf"
mosquitto -c "$work/mosquitto.conf" >"$work/mosquitto.log" 2>&1 &
pids+=($!)
mqtt=(-h 127.0.0.1 -u kps -P "$password")
wait_until "the broker" mosquitto_pub "${mqtt[@]}" -t start -n
mosquitto_pub -h 127.0.0.1 -t start -n 2>/dev/null && fail "the broker lets anybody in"

step "Streams and config"
# The platform gives streams their channels: here both have one, in the place of a pipeline that sends on what it gets.
for direction in ingress egress; do
  sed -e 's|mqtt://broker.example:1883|mqtt://127.0.0.1:1883|' -e 's|"direction":|"transportChannel": "walk", &|' \
    "$samples/connector_stream_$direction.json" >"$work/$direction.json"
done
"$connector" streams set "$work/ingress.json" "$work/egress.json"
"$connector" config set "$samples/connector_config.json"
wait_until "two streams" is_running 2

step "Messages, there and back"
topic() { sed -n 's/^    "topic": "\(.*\)",*$/\1/p' "$samples/connector_stream_$1.json"; }
stdbuf -oL mosquitto_sub "${mqtt[@]}" -q 1 -t "$(topic egress)" >"$work/received" &
pids+=($!)
came() { grep -qxF -e "$1" "$work/received"; }
reaches_subscriber() { mosquitto_pub "${mqtt[@]}" -t "$(topic egress)" -m "$1" && came "$1"; }
wait_until "the subscriber" reaches_subscriber "from the broker"
exchange() { # MESSAGE
  mosquitto_pub "${mqtt[@]}" -q 1 -t "$(topic ingress)" -m "$1"
  wait_until "the message" came "$1"
}
exchange "21.5 degrees"

step "What the instance has the plugin look for is found"
# Messages come to it while it is looked for.
is_discovered() {
  mosquitto_pub "${mqtt[@]}" -r -t plant/pressure -m 1 && "$connector" streams get | grep -q 'plant/pressure'
}
wait_until "a topic that no stream has" is_discovered

step "What the state keeps: the pod's container is killed and started again"
podman kill --signal KILL "$container" >/dev/null
podman wait "$container" >/dev/null
podman start "$container" >/dev/null
wait_until "readiness after a crash" answers /readyz 200
wait_until "two streams, which nobody has set again" is_running 2
exchange "22 degrees"

step "The end: SIGTERM, within terminationGracePeriodSeconds"
podman stop --time "$(sed -n 's/.*terminationGracePeriodSeconds: //p' "$work/pod.yaml")" "$container" >/dev/null
ends "$container" 0
says "$container" "SIGTERM: stopping"
says "$container" "INFO  stopped"
podman play kube --down "$work/pod.yaml" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "the pod cannot be taken away"; }
