#!/usr/bin/env bash
# check_kubernetes.sh finds what is wrong: samples/connector.yaml is broken, one way each.
#   check_kubernetes_test.sh SAMPLES WORK
set -euo pipefail
samples=$1
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
broken=$(mktemp -d)
trap 'rm -rf -- "$broken"' EXIT
cp "$samples/connector_instance.json" "$broken"

status=0
refused() { # SED COMPLAINT
  local said code=0
  sed "$1" "$samples/connector.yaml" >"$broken/connector.yaml"
  said=$("$here/check_kubernetes.sh" "$broken" "$work" 2>&1) || code=$?
  if [[ $code -eq 77 ]]; then echo "$said" >&2; exit 77; fi
  if [[ $code -ne 1 || $said != *"$2"* ]]; then
    printf '%s: exit code %s, and not "%s":\n%s\n' "$1" "$code" "$2" "$said" >&2
    status=1
  fi
}
work=$2
refused 's/terminationGracePeriodSeconds/terminationGracePeriodSecond/' 'no field /spec/template/spec/terminationGracePeriodSecond'
refused 's/^  selector:/  selectr:/' 'must have required property selector'
refused 's/readOnlyRootFilesystem/readonlyRootFilesystem/' 'no field /spec/template/spec/containers/0/securityContext/readonlyRoot'
refused 's/containerPort: 8000/containerPort: "8000"/' 'containerPort must be integer'
refused 's/RuntimeDefault/Runtime/' 'seccompProfile/type must be equal to one of the allowed values'
refused 's/kind: Service/kind: Servic/' 'Kubernetes has no v1 Servic'
refused 's/32Mi/32 Megs/' 'requests/memory must match format "quantity"'
refused 's/Parameters\.log_level/Parameters.log/' 'not filled: value: "{{ .Parameters.log }}"'
refused 's/{{ .Parameters.plugin }}/{{ .Plugin }}/' 'not filled: value: "{{ .Plugin }}"'
refused 's/targetPort: 8000/targetPort: 8001/' 'Service: no container has port 8001'
refused 's/port: 9090/port: 9091/' 'livenessProbe: no container has port 9091'
refused 's/^    app: mqtt-connector/    app: another/' 'Service: no pod has the label app: another'
refused '/volumes:/,$s/- name: state/- name: stat/' 'there is no volume state'
refused '/^---/,$d' 'one Deployment and one Service are needed'
# Values stay what they are, and what is not set is not there.
refused 's/targetPort: 8000/targetPort: 8001/' 'Service: no container has port 8001'
for line in '--static-param=discoverS=5' '--static-param=discover="plant/#"'; do
  grep -qF -e "$line" "$work/filled.yaml" || { echo "the template does not become $line" >&2; status=1; }
done
grep -q 'caFile' "$work/filled.yaml" && { echo "a parameter that is not set is there" >&2; status=1; }
exit $status
