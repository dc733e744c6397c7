#include "cli/kit/class/class_yaml.h"

namespace kps::cli {
namespace {

constexpr char kTemplate[] =
    R"(# How the platform runs a connector: this text stands in the class (yamlData), and what is in double braces is filled from
# the static parameters of an instance. A connector of the Go template runs on this host with another image and nothing
# else: the port, the flag, the variables and the user are the same. Which plugin runs is a variable, which an image of
# its own may set instead.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: @NAME@
spec:
  replicas: 1
  # Two at a time would both do the work of one.
  strategy:
    type: Recreate
  selector:
    matchLabels:
      app: @NAME@
  template:
    metadata:
      labels:
        app: @NAME@
    spec:
      # Longer than the host takes to bring home what is on its way.
      terminationGracePeriodSeconds: 30
      securityContext:
        runAsNonRoot: true
        runAsUser: 9999
        runAsGroup: 9999
        fsGroup: 9999
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: @NAME@
          image: "@IMAGE@"
          imagePullPolicy: Always
@ARGUMENTS@          env:
            - name: KPS_PLUGIN
              value: "{{ .Parameters.plugin }}"
            - name: KPS_LOG_LEVEL
              value: "{{ .Parameters.log_level }}"
            - name: KPS_STATE_DIR
              value: /connectors/state
            - name: KPS_METRICS_LISTEN
              value: "0.0.0.0:9090"
@VARIABLES@          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop:
                - ALL
          ports:
            - containerPort: 8000
            - name: metrics
              containerPort: 9090
          livenessProbe:
            httpGet:
              path: /livez
              port: 9090
          readinessProbe:
            httpGet:
              path: /readyz
              port: 9090
            periodSeconds: 5
          # What an idle host takes is in README.md; what streams have on their way comes on top.
          resources:
            requests:
              cpu: 50m
              memory: 32Mi
            limits:
              memory: 256Mi
          volumeMounts:
            - name: state
              mountPath: /connectors/state
            - name: tmp
              mountPath: /tmp
            - name: credentials
              mountPath: /connectors/credentials
              readOnly: true
      volumes:
        # Outlives the container. A persistentVolumeClaim in its place outlives the pod, too.
        - name: state
          emptyDir: {}
        # For the host's own copy of the plugin.
        - name: tmp
          emptyDir: {}
        # What streams name as a file: /connectors/credentials/password, for one. It need not exist.
        - name: credentials
          secret:
            secretName: @NAME@-credentials
            optional: true
---
kind: Service
apiVersion: v1
metadata:
  name: @NAME@-svc
spec:
  selector:
    app: @NAME@
  # The platform's calls arrive also while the transport is away: the events say what is wrong.
  publishNotReadyAddresses: true
  ports:
    - protocol: TCP
      name: @NAME@
      port: 9000
      targetPort: 8000
)";

void Replace(std::string* text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text->find(what, at)) != std::string::npos; at += by.size()) {
    text->replace(at, what.size(), by);
  }
}

// A parameter that is not set has no place in the map that the template sees; one that is false or 0 has.
std::string Argument(const StaticParameter& parameter) {
  const std::string value = "(index .Parameters \"" + parameter.name + "\")";
  const std::string line = "            - |-\n              --static-param=" + parameter.name +
                           "={{ if eq (printf \"%T\" " + value + ") \"string\" }}{{ printf \"%q\" " + value +
                           " }}{{ else }}{{ " + value + " }}{{ end }}\n";
  if (parameter.required) return line;
  return "            {{- if ne (printf \"%T\" " + value + ") \"<nil>\" }}\n" + line + "            {{- end }}\n";
}

std::string Arguments(const std::vector<StaticParameter>& parameters) {
  if (parameters.empty()) return "";
  std::string lines = "          args:\n";
  for (const StaticParameter& parameter : parameters) lines += Argument(parameter);
  return lines;
}

}  // namespace

std::string ConnectorYaml(const YamlOptions& options) {
  std::string yaml = kTemplate;
  Replace(&yaml, "@NAME@", options.name);
  Replace(&yaml, "@IMAGE@", options.image);
  Replace(&yaml, "@ARGUMENTS@", Arguments(options.parameters));
  Replace(&yaml, "@VARIABLES@",
          options.parameters_as_one ? "            - name: KPS_STATIC_PARAMETERS\n"
                                      "              value: {{ printf \"%q\" .Parameters.static_parameters }}\n"
                                    : "");
  return yaml;
}

}  // namespace kps::cli
