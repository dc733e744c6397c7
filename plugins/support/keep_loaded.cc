#include "keep_loaded.h"

#include <dlfcn.h>

#include <kps/plugin.hpp>
#include <string>

namespace kps::plugins {

void keep_loaded(const void* symbol) {
  Dl_info library = {};
  if (dladdr(symbol, &library) == 0 || library.dli_fname == nullptr) {
    throw plugin::Failure(KPS_FAILED_PRECONDITION, "cannot find the library that a function of the plugin is in");
  }
  void* const handle = dlopen(library.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  if (handle == nullptr) {
    throw plugin::Failure(KPS_FAILED_PRECONDITION, std::string("cannot keep the library ") + library.dli_fname);
  }
  static_cast<void>(dlclose(handle));  // the reference; the flag stays
}

}  // namespace kps::plugins
