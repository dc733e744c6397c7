// The host, as far as a trial of a plugin needs it.
//   plugin-preflight --preflight            the child
//   plugin-preflight --echo                 a child that tells what it was asked
//   plugin-preflight PLUGIN STATIC CONFIG   tries a plugin, for a minute, with itself as the child
#include <cstdio>
#include <string>
#include <string_view>

#include "host/plugin/parent_process.h"
#include "host/plugin/preflight.h"

// Sanitizers would make an exit code of the signal.
extern "C" const char* __asan_default_options() { return "handle_segv=0"; }  // NOLINT: their name
extern "C" const char* __tsan_default_options() { return "handle_segv=0"; }  // NOLINT: their name

namespace {

int Echo() {
  const auto parent = kps::ParentProcess::Find();
  if (!parent) return 2;
  for (int i = 1; i <= 1000; ++i) parent->Tell(i, std::to_string(i));
  parent->Tell(0, parent->request());
  return 4;
}

}  // namespace

int main(int argument_count, char** arguments) {
  const std::string_view only = argument_count == 2 ? arguments[1] : "";
  if (only == "--preflight") return kps::RunPreflight();
  if (only == "--echo") return Echo();
  if (argument_count != 4) return 1;
  const kps::Error error = kps::Preflight("/proc/self/exe", {arguments[1], arguments[2], arguments[3]},
                                          std::chrono::minutes(1), std::stop_token());
  std::puts(error.ok() ? "OK" : error.ToString().c_str());
  return 0;
}
