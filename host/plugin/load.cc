#include "host/plugin/load.h"

#include <kps/plugin.h>

#include <boost/dll/shared_library.hpp>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>

#include "host/plugin/adapter.h"
#include "host/plugin/elf_file.h"

namespace kps {

Result<std::unique_ptr<Plugin>> LoadPlugin(const std::string& path) {
  if (Error error = CheckElf(path); !error.ok()) return error;

  std::shared_ptr<boost::dll::shared_library> library;
  try {
    // RTLD_NOW: a missing function is an error here and not a crash at its first call. The absolute path keeps dlopen
    // from searching LD_LIBRARY_PATH. Only the throwing constructor carries dlerror's text.
    library = std::make_shared<boost::dll::shared_library>(std::filesystem::absolute(path).string(),
                                                           boost::dll::load_mode::rtld_now);
  } catch (const std::exception& exception) {
    return Error(Code::kFailedPrecondition, "cannot load " + path + ": " + exception.what());
  }
  if (!library->has(KPS_PLUGIN_SYMBOL)) {
    return Error(Code::kInvalidArgument, path + " does not export " KPS_PLUGIN_SYMBOL
                                                ": it is no connector plugin; build it with kps_add_plugin()");
  }
  const kps_plugin* table = nullptr;
  try {
    table = library->get<const kps_plugin*(uint32_t)>(KPS_PLUGIN_SYMBOL)(KPS_ABI_VERSION);
  } catch (...) {
    return Error(Code::kInternal, path + ": " KPS_PLUGIN_SYMBOL " threw an exception across the ABI");
  }
  if (table == nullptr) {
    return Error(Code::kFailedPrecondition, path + " refuses plugin ABI " + std::to_string(KPS_ABI_VERSION) +
                                                " of this host: use the host version that it was built for");
  }
  if (Error error = CheckTable(table); !error.ok()) return Error(error.code(), path + " " + error.message());
  return AdaptPlugin(table, library);
}

}  // namespace kps
