// The host, as far as a trial of a plugin needs it.
//   plugin-preflight --preflight            the child
//   plugin-preflight PLUGIN STATIC CONFIG   tries a plugin, for a minute, with itself as the child
#include <cstdio>
#include <string_view>

#include "host/plugin/preflight.h"

// Sanitizers would make an exit code of the signal.
extern "C" const char* __asan_default_options() { return "handle_segv=0"; }  // NOLINT: their name
extern "C" const char* __tsan_default_options() { return "handle_segv=0"; }  // NOLINT: their name

int main(int argument_count, char** arguments) {
  if (argument_count == 2 && std::string_view(arguments[1]) == "--preflight") return kps::RunPreflight();
  if (argument_count != 4) return 1;
  const kps::Error error = kps::Preflight("/proc/self/exe", {arguments[1], arguments[2], arguments[3]},
                                          std::chrono::minutes(1), std::stop_token());
  std::puts(error.ok() ? "OK" : error.ToString().c_str());
  return 0;
}
