// What stands in the files of a state directory, as text: no file is touched here. Each is three JSON values, so that
// `cat` shows it and `jq .` reads it:
//   {"format":"kps-connector-host positions","version":1,"connector":"edge-1"}
//   {"streams":[
//   {"id":"a","generation":3,"position":"4711","run":"b7","message_count":17}
//   ]}
//   {"crc64":"995dc9bbdf1939fa"}
// The last line is the CRC-64/XZ of every byte before it. The first line stays as it is in all versions.
// Bytes that are not printable ASCII stand in hexadecimal under "position_hex". JSON of the platform that RapidJSON
// would write otherwise stands as a string, under "metadata_text": equal metadata are equal texts, before and after.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/error.h"
#include "host/core/json.h"
#include "host/core/plan.h"
#include "host/core/state_store.h"

namespace kps {

// The file "desired".
struct DesiredState {
  std::uint64_t saves = 0;  // times that it was saved
  StreamMap streams;
  // By stream id: the save that brought the stream in, or changed its source. A resume point names it too, so that one
  // that was written for another source under the same id is known, whichever of the two files a crash has kept back.
  std::map<std::string, std::uint64_t> generations;
  JsonMembers config;
};

// An entry of the file "positions".
struct SavedPoint {
  std::string stream_id;
  std::uint64_t generation = 0;
  ResumePoint point;
};

// The text of a file, in place of what is in *text.
void EncodeDesired(const DesiredState& state, std::string_view connector_id, std::string* text);
void EncodePositions(std::span<const SavedPoint> points, std::string_view connector_id, std::string* text);

// The reverse. An empty connector_id, here or in the text, fits every one. The sentence goes on from the file's name.
// DATA_LOSS: torn, changed, or not of this connector. UNIMPLEMENTED: of a later version.
Result<DesiredState> DecodeDesired(std::string_view text, std::string_view connector_id);
Result<std::vector<SavedPoint>> DecodePositions(std::string_view text, std::string_view connector_id);

}  // namespace kps
