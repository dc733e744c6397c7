// The desired state as data: how a command changes it. Nothing is called from here.
#pragma once

#include <string>
#include <vector>

#include "cli/contract.h"
#include "cli/result.h"

namespace kps::cli {

// Merges key by key into the one config of `to`; a key of `from` wins.
void MergeConfig(const google::protobuf::Struct& from, v1::SetPayloadRequest* to);

// The streams of `current` that somebody desired, without the output-only fields: what SetPayload must name so that
// they go on. A discovered stream is not desired.
v1::SetPayloadRequest DesiredStreams(const v1::GetPayloadResponse& current);

// Puts the payloads of `from` into `to`; a stream with the same id takes the old one's place.
void AddOrReplace(const v1::SetPayloadRequest& from, v1::SetPayloadRequest* to);

// All or nothing: an id that is not there is a failure that lists those that are.
Result<v1::SetPayloadRequest> WithoutStreams(v1::SetPayloadRequest request, const std::vector<std::string>& ids);

// Output-only fields are the connector's to fill.
void ClearOutputOnly(v1::SetPayloadRequest* request);

// How many payloads are streams.
int StreamCount(const v1::SetPayloadRequest& request);

// "key=value": the value is JSON where it is valid JSON, else a string. JSON that cannot be sent as it is fails.
Result<google::protobuf::Struct> ParseAssignment(const std::string& assignment);

}  // namespace kps::cli
