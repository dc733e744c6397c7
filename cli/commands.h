// What each command does. A command prints its result to `out`, its failure to `err`, and returns the exit code.
#pragma once

#include <iosfwd>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/result.h"

namespace kps::cli {

class Client;

enum class Output { kTable, kJson };

struct Context {
  Client& client;
  std::string connector_id;  // empty: the one that the files name
  Output output = Output::kTable;
  std::size_t row_width_max = 0;  // of a table; 0: not cut
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

struct StreamsSetArguments {
  std::vector<std::string> files = {};       // the whole desired set
  std::vector<std::string> add_files = {};   // added to what is set, or in place of the same id
  std::vector<std::string> remove_ids = {};  // taken out of what is set
  bool none = false;                         // an empty desired set, on purpose
};

ExitCode StreamsSet(const StreamsSetArguments& arguments, Context& context);
ExitCode StreamsGet(Context& context);

// Each is KEY=VALUE or a file; what comes later wins. The desired streams are sent along, so they go on.
ExitCode ConfigSet(const std::vector<std::string>& assignments_or_files, Context& context);
ExitCode ConfigGet(Context& context);

ExitCode Events(Context& context);
// Prints what is new or changed, each second, until `stop`. A host that goes away meanwhile is waited for.
ExitCode FollowEvents(Context& context, const std::stop_token& stop);

// What plugin the host runs, and how its last swaps went.
ExitCode PluginStatus(Context& context);
// Has the host load the plugin's file; prints what was done.
ExitCode PluginReload(Context& context);

// Prints SERVING, or NOT_SERVING with the exit code of a refusal.
ExitCode Health(Context& context);

}  // namespace kps::cli
