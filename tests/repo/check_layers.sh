#!/usr/bin/env bash
# Fails on an #include that points the wrong way: check_layers.sh ROOT
# What a folder may include is said here once; what is not allowed is refused, with file, line and reason.
set -euo pipefail
cd "$1"

# Patterns of the path between < > or " ". Standard C++ headers have no dot and no slash.
standard='[a-z_0-9]+'
system='([a-z_0-9]+|(sys|netinet|arpa|net|linux)/[a-z_0-9]+)\.h'
contract='(connector/v1/connector|kps/host/v1/plugin)(\.grpc)?\.pb\.h|google/(protobuf|rpc)/.+\.h'
grpc='(grpc|grpcpp)/.+\.h'

# FOLDER  WHAT IT MAY INCLUDE  THE RULE IN WORDS. The first folder that fits a file is the one that counts.
rules=(
  "plugin-api/include/kps/cpp/params.hpp" "$standard|$system|rapidjson/.+" "params.hpp includes RapidJSON, the standard library and the plugin API"
  "plugin-api/" "$standard|$system" "the plugin API includes libc, the standard library and itself, and only params.hpp a library"
  "host/core/" "$standard|rapidjson/.+|host/core/.+" "core knows the standard library and RapidJSON, and no other part of the host"
  "host/plugin/" "$standard|$system|kps/.+|boost/dll/.+|openssl/.+|host/(core|plugin)/.+" "host/plugin may use core, the plugin API, Boost.DLL and libcrypto"
  "host/transport/" "$standard|$system|nats/.+|host/(core|transport)/.+" "host/transport may use core and libnats"
  "host/grpc/" "$standard|$system|$contract|$grpc|host/(core|grpc)/.+" "host/grpc may use core, gRPC and protobuf"
  "host/metrics/" "$standard|$system|prometheus/.+|curl/.+|host/(core|metrics)/.+" "host/metrics may use core, prometheus-cpp, civetweb and libcurl"
  "host/state/" "$standard|$system|rapidjson/.+|host/(core|state)/.+" "host/state may use core, POSIX and RapidJSON"
  "host/app/" "$standard|$system|kps/version\.h|CLI/.+|spdlog/.+|fmt/.+|host/.+" "host/app may use the host's parts, CLI11 and spdlog; the contract stays in host/grpc"
  "cli/kit/" "$standard|$system|kps/.+|CLI/.+|rapidjson/.+|host/(core|plugin|transport)/.+|cli/.+" "the tools of a plugin's author may use core, host/plugin, host/transport and the plugin API; neither gRPC nor protobuf"
  "cli/" "$standard|$system|$contract|$grpc|kps/version\.h|CLI/.+|rapidjson/.+|host/core/json\.h|host/grpc/json_complaint\.h|cli/.+" "the client shares with the host the contract and how its JSON is read"
  "plugins/" "" "a plugin includes the plugin API, its own folder, support/ and its own library"
)
# A plugin's library may be any, but for these.
not_a_library='(host|cli|tests|plugins|connector|google|grpc|grpcpp|boost/dll)/.+|\.\.?/.*|.*/\.\./.*'
loading='(dlfcn|link)\.h|boost/dll/.+'
# A plugin that is unloaded keeps a library with threads of its own mapped: only the loader can.
keeps_loaded='plugins/support/keep_loaded.cc'
http='civetweb\.h|curl/.+'

status=0
refuse() { # FILE LINE TEXT WHY
  echo "$1:$2: #include $3: $4" >&2
  status=1
}

# Is PATH, included by FILE in quotes, a file below FOLDER?
is_below() { # FILE PATH FOLDER
  local target
  target=$(realpath -m --relative-to=. "$(dirname "$1")/$2")
  [[ $target == "$3"* && -f $target ]]
}

check() { # FILE LINE TEXT
  local file=$1 line=$2 text=$3 quote path i folder="" allowed="" why=""
  if [[ ! $text =~ ^(\<|\")([^\>\"]+)[\>\"] ]]; then
    refuse "$file" "$line" "$text" "an include by macro cannot be checked"
    return
  fi
  quote=${BASH_REMATCH[1]} path=${BASH_REMATCH[2]}
  for ((i = 0; i < ${#rules[@]}; i += 3)); do
    folder=${rules[i]} allowed=${rules[i + 1]} why=${rules[i + 2]}
    if [[ $file == "$folder"* ]]; then break; fi
    folder=""
  done
  if [[ -z $folder ]]; then
    refuse "$file" "$line" "$text" "tests/repo/check_layers.sh has no rule for this folder"
    return
  fi

  if [[ $file != host/plugin/* && $path =~ ^($loading)$ && ! ($file == "$keeps_loaded" && $path == dlfcn.h) ]]; then
    refuse "$file" "$line" "$text" "only host/plugin loads libraries"
    return
  fi
  if [[ $file == host/* && $file != host/metrics/* && $path =~ ^($http)$ ]]; then
    refuse "$file" "$line" "$text" "only host/metrics speaks HTTP"
    return
  fi
  if [[ $folder == host/core/ && $path =~ ^(iostream|fstream|syncstream|print)$ ]]; then
    refuse "$file" "$line" "$text" "core never prints and touches no file"
    return
  fi
  if [[ $file == host/*.h && $path =~ ^($contract|$grpc)$ ]]; then
    refuse "$file" "$line" "$text" "headers of gRPC and protobuf are included in sources only"
    return
  fi
  case "$folder" in
    plugin-api/*)
      if [[ $quote == '"' ]]; then
        is_below "$file" "$path" plugin-api/include/kps/ || refuse "$file" "$line" "$text" "$why"
        return
      fi
      ;;
    plugins/)
      if [[ $quote == '"' ]]; then
        is_below "$file" "$path" "$(dirname "$file")/" || refuse "$file" "$line" "$text" "$why"
      elif [[ $path =~ ^($not_a_library)$ || ($path == */* && $path != support/* && -e plugins/$path) ]]; then
        refuse "$file" "$line" "$text" "$why"
      fi
      return
      ;;
  esac
  [[ $path =~ ^($allowed)$ && $path != *..* ]] || refuse "$file" "$line" "$text" "$why"
}

folders=()
for folder in plugin-api host cli plugins; do
  if [[ -d $folder ]]; then folders+=("$folder"); fi
done
count=0
directive='^[[:space:]]*#[[:space:]]*[a-z_]+[[:space:]]*(.*)'
while IFS=: read -r file line text; do
  count=$((count + 1))
  [[ $text =~ $directive ]]
  text=${BASH_REMATCH[1]}
  check "$file" "$line" "$text"
done < <(grep -rnE --include='*.h' --include='*.hpp' --include='*.c' --include='*.cc' --include='*.cpp' --include='*.inc' \
  '^[[:space:]]*#[[:space:]]*(include|include_next|import)([[:space:]<"]|$)' "${folders[@]}")

if [[ $count -eq 0 ]]; then
  echo "no #include found below $PWD: nothing was checked" >&2
  exit 1
fi
if [[ $status -eq 0 ]]; then echo "$count includes point the right way"; fi
exit $status
