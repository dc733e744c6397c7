#!/usr/bin/env bash
# Each rule of check_layers.sh, once obeyed and once broken, on a small tree of its own.
set -euo pipefail
check=$(realpath "$(dirname "${BASH_SOURCE[0]}")/check_layers.sh")
tree=$(mktemp -d)
trap 'rm -rf -- "$tree"' EXIT
failures=0

write() { # FILE TEXT
  mkdir -p "$tree/$(dirname "$1")"
  printf '%s\n' "$2" >"$tree/$1"
}

fresh_tree() {
  rm -rf -- "${tree:?}"/*
  write plugin-api/include/kps/types.h '#include <stdint.h>'
  write plugins/file/file_plugin.h '#include <vector>'
}

obeyed() { # FILE INCLUDE
  fresh_tree
  write "$1" "#include $2"
  local output
  if output=$("$check" "$tree" 2>&1); then return 0; fi
  echo "refused, though it is right: #include $2 in $1: $output"
  failures=$((failures + 1))
}

broken() { # FILE INCLUDE
  fresh_tree
  write "$1" "#include $2"
  local output
  if output=$("$check" "$tree" 2>&1); then
    echo "let pass, though it is wrong: #include $2 in $1"
  elif [[ $output != "$1:1: #include $2: "* ]]; then
    echo "refused, but without its place: #include $2 in $1: $output"
  else
    return 0
  fi
  failures=$((failures + 1))
}

obeyed plugin-api/include/kps/error.h '"types.h"'
obeyed plugin-api/include/kps/cpp/text.hpp '"../types.h"'
obeyed plugin-api/include/kps/cpp/wait.hpp '<poll.h>'
broken plugin-api/include/kps/cpp/text.hpp '"../../../../plugins/file/file_plugin.h"'
broken plugin-api/include/kps/error.h '"absent.h"'
broken plugin-api/include/kps/error.h '<boost/config.hpp>'
broken plugin-api/include/kps/error.h '<rapidjson/document.h>'
broken plugin-api/include/kps/error.h '"host/core/error.h"'
obeyed plugin-api/include/kps/cpp/params.hpp '<rapidjson/document.h>'
broken plugin-api/include/kps/cpp/params.hpp '<boost/config.hpp>'
broken plugin-api/include/kps/cpp/params.hpp '"../../../../plugins/file/file_plugin.h"'

obeyed host/core/json.cc '<rapidjson/document.h>'
obeyed host/core/json.cc '"host/core/json.h"'
obeyed host/core/json.cc '<string_view>'
for wrong in '"host/plugin/load.h"' '"host/transport/nats_transport.h"' '"host/grpc/server.h"' '"host/app/run.h"' \
  '<kps/plugin.h>' '<grpcpp/grpcpp.h>' '<google/protobuf/struct.pb.h>' '"connector/v1/connector.pb.h"' \
  '<nats/nats.h>' '<boost/dll/shared_library.hpp>' '<boost/filesystem.hpp>' '<dlfcn.h>' '<link.h>' '<unistd.h>' \
  '<iostream>' '<spdlog/logger.h>' '<CLI/CLI.hpp>' '"cli/client.h"' '"tests/core/fake.h"' '"host/core/../app/run.h"' \
  'CONFIGURED_HEADER'; do
  broken host/core/json.cc "$wrong"
done

obeyed host/plugin/load.cc '<boost/dll/shared_library.hpp>'
obeyed host/plugin/load.cc '<kps/plugin.h>'
obeyed host/plugin/load.cc '"host/core/plugin.h"'
broken host/plugin/load.cc '"host/transport/make_transport.h"'
broken host/plugin/load.cc '<boost/filesystem.hpp>'
broken host/plugin/load.cc '"connector/v1/connector.pb.h"'

obeyed host/transport/nats_transport.cc '<nats/nats.h>'
obeyed host/transport/nats_transport.cc '"host/core/transport.h"'
broken host/transport/nats_transport.cc '"host/grpc/server.h"'
broken host/transport/nats_transport.cc '<kps/message.h>'
broken host/transport/nats_transport.cc '"connector/v1/connector.pb.h"'

obeyed host/grpc/service.cc '"connector/v1/connector.grpc.pb.h"'
obeyed host/grpc/service.cc '<google/protobuf/util/json_util.h>'
obeyed host/grpc/service.cc '"host/core/runtime.h"'
broken host/grpc/service.cc '"host/plugin/load.h"'
broken host/grpc/service.cc '"host/app/options.h"'
broken host/grpc/service.h '"connector/v1/connector.grpc.pb.h"'
broken host/grpc/service.h '<grpcpp/grpcpp.h>'

obeyed host/metrics/http_server.cc '<civetweb.h>'
obeyed host/metrics/pushgateway.cc '<curl/curl.h>'
obeyed host/metrics/prometheus_text.cc '<prometheus/text_serializer.h>'
obeyed host/metrics/prometheus_text.cc '"host/core/metric_family.h"'
broken host/metrics/http_server.cc '"host/transport/make_transport.h"'
broken host/metrics/http_server.cc '"host/app/options.h"'
broken host/metrics/http_server.cc '<grpcpp/grpcpp.h>'
broken host/metrics/http_server.cc '<nats/nats.h>'
broken host/transport/nats_transport.cc '<civetweb.h>'
broken host/core/host_metrics.cc '<prometheus/metric_family.h>'
broken host/app/telemetry.cc '<prometheus/metric_family.h>'
broken host/app/telemetry.cc '<curl/curl.h>'

obeyed host/state/directory.cc '<sys/stat.h>'
obeyed host/state/state_file.cc '<rapidjson/document.h>'
obeyed host/state/state_dir.cc '"host/core/state_store.h"'
broken host/state/state_dir.cc '"host/transport/make_transport.h"'
broken host/state/state_dir.cc '"host/app/options.h"'
broken host/state/state_file.cc '"connector/v1/connector.pb.h"'
broken host/state/state_dir.cc '<spdlog/logger.h>'
broken host/state/directory.cc '<boost/filesystem.hpp>'
broken host/core/runtime.cc '"host/state/state_dir.h"'

obeyed host/app/run.cc '"host/plugin/load.h"'
obeyed host/app/run.cc '<kps/version.h>'
obeyed host/app/run.cc '<CLI/CLI.hpp>'
broken host/app/run.cc '<kps/plugin.h>'
broken host/app/run.cc '<dlfcn.h>'
broken host/app/run.cc '<boost/dll.hpp>'
broken host/app/run.cc '"connector/v1/connector.pb.h"'
broken host/app/run.cc '"cli/client.h"'

obeyed cli/client.cc '"connector/v1/connector.grpc.pb.h"'
obeyed cli/client.cc '<kps/version.h>'
obeyed cli/client.cc '"host/core/json.h"'
broken cli/client.cc '"host/core/error.h"'
broken cli/client.cc '<kps/plugin.h>'
broken cli/client.cc '"plugins/file/file_plugin.h"'

obeyed plugins/file/file_plugin.cc '"file_plugin.h"'
obeyed plugins/file/file_plugin.cc '<kps/cpp/params.hpp>'
obeyed plugins/file/file_plugin.cc '<kps/plugin.hpp>'
obeyed plugins/mqtt/mqtt_plugin.cc '<mosquitto.h>'
obeyed plugins/kafka/kafka_plugin.cc '<librdkafka/rdkafka.h>'
obeyed plugins/kafka/kafka_plugin.cc '<support/secret.h>'
obeyed plugins/nats/nats_plugin.cc '<nats/nats.h>'
obeyed plugins/support/keep_loaded.cc '<dlfcn.h>'
broken plugins/support/keep_loaded.cc '<link.h>'
broken plugins/support/secret.cc '<dlfcn.h>'
for wrong in '<file/file_plugin.h>' '"../file/file_plugin.h"' '<plugins/file/file_plugin.h>' '"host/core/error.h"' '<host/core/error.h>' \
  '<connector/v1/connector.pb.h>' '<grpcpp/grpcpp.h>' '<dlfcn.h>' '<../host/core/error.h>'; do
  broken plugins/mqtt/mqtt_plugin.cc "$wrong"
done

broken host/new_room/new_room.cc '<vector>'

rm -rf -- "${tree:?}"/*
write host/core/empty.cc '// nothing included'
if "$check" "$tree" >/dev/null 2>&1; then
  echo "a tree in which no include was found passes"
  failures=$((failures + 1))
fi
if [[ $failures -gt 0 ]]; then
  echo "$failures rules are not kept by check_layers.sh"
  exit 1
fi
