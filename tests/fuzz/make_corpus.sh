#!/usr/bin/env bash
# Writes the inputs that the fuzzers begin with, corpus/*/*, which are checked in. What a fuzzer has found stays there, too.
#   tests/fuzz/make_corpus.sh        needs protoc
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
mkdir -p corpus/request corpus/envelope

encode() { protoc -I ../../proto --encode "connector.v1.$1" connector/v1/connector.proto; }
request() { encode SetPayloadRequest >"corpus/request/$1"; }
# A request after another one.
then_request() {
  printf '\n----\n' >>"corpus/request/$1"
  encode SetPayloadRequest >>"corpus/request/$1"
}
envelope() { encode TransportMessage >"corpus/envelope/$1"; }

in='id: "in" direction: STREAM_DIRECTION_INGRESS transport_channel: "a.b"'
out='id: "out" direction: STREAM_DIRECTION_EGRESS transport_channel: "a.>"'
topic='fields { key: "topic" value { string_value: "t" } }'

request empty </dev/null
request streams <<END
connector_id: "me"
payloads { stream { $in metadata { $topic } } }
payloads { stream { $out metadata { $topic } } }
END
then_request streams <<END
connector_id: "me"
payloads { stream { $in metadata { $topic fields { key: "qos" value { number_value: 1 } } } } }
payloads { stream { id: "new" direction: STREAM_DIRECTION_EGRESS transport_channel: "c" metadata { $topic } } }
END
request same <<END
connector_id: "me" payloads { stream { $in metadata { $topic } } }
END
then_request same <<END
connector_id: "me" payloads { stream { $in metadata { $topic } } }
END
request config <<'END'
connector_id: "me"
payloads { config { metadata { fields { key: "log_level" value { string_value: "DEBUG" } } } } }
payloads { config { metadata { fields { key: "limit" value { number_value: 9007199254740992 } } } } }
payloads { config { metadata { fields { key: "x" value { null_value: NULL_VALUE } } } } }
END
request metadata <<END
connector_id: "me"
payloads { stream { $in metadata { $topic
  fields { key: "broker" value { string_value: "tcp://host.example:1883" } }
  fields { key: "mode" value { null_value: NULL_VALUE } }
  fields { key: "rate" value { number_value: 0.5 } }
  fields { key: "tags" value { list_value { values { string_value: "x" } values { string_value: "é\"\\\\\n" } } } }
  fields { key: "tls" value { struct_value { fields { key: "ca" value { string_value: "c" } }
                                             fields { key: "verify" value { bool_value: true } } } } }
  fields { key: "either" value { number_value: 10 } } } } }
END
# Wrong in one way only: a host that overlooks it takes the request.
request twice <<END
connector_id: "me"
payloads { stream { $in metadata { $topic } } }
payloads { stream { $in metadata { $topic } } }
END
request wildcard <<END
connector_id: "me"
payloads { stream { id: "in" direction: STREAM_DIRECTION_INGRESS transport_channel: "a.*" metadata { $topic } } }
END
request direction <<END
connector_id: "me" payloads { stream { id: "in" transport_channel: "a" metadata { $topic } } }
END
request wrong <<'END'
connector_id: "other"
payloads { }
payloads { stream { id: "a" direction: 7 transport_channel: "a b" } }
payloads { stream { id: "a" direction: STREAM_DIRECTION_INGRESS transport_channel: ".*" metadata {
  fields { key: "qos" value { number_value: nan } } fields { key: "unknown" value { } } } } }
payloads { config { metadata { fields { key: "limit" value { number_value: -inf } } } } }
payloads { stream { transport_channel: "a.>" direction: STREAM_DIRECTION_INGRESS metadata {
  fields { key: "tls" value { list_value { values { struct_value { } } } } } } } }
END

envelope empty </dev/null
envelope one <<<'timestamp: 1790000000123456789 payload: "hello"'
envelope several <<<'timestamp: -1 payload: "a" payload: "" payload: "\377\000\001"'
# The fields of the older DataStreamMessage around a payload: 2 (metaData) and 4 (sourceError).
printf '\x12\x03abc\x08\x05\x1A\x01x\x22\x02\x08\x01' >corpus/envelope/older
# A varint, a fixed64, a fixed32 and a group in a group, of fields that do not exist.
printf '\x28\x96\x01\x31\x31\x32\x33\x34\x35\x36\x37\x38\x3D1234\x43\x08\x01\x4B\x4C\x44\x1A\x01x' >corpus/envelope/unknown
# A length that is larger than the rest, and a tag in more bytes than it needs.
printf '\x1A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01' >corpus/envelope/long
printf '\x9A\x80\x00\x01x\x88\x00\x07' >corpus/envelope/overlong
# Groups in groups, 150 deep and all closed: more than protobuf takes.
{ printf '\x43%.0s' {1..150} && printf '\x44%.0s' {1..150}; } >corpus/envelope/deep
