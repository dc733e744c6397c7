#include "host/plugin/load.h"

#include <dlfcn.h>
#include <kps/plugin.h>

#include <boost/dll/shared_library.hpp>
#include <exception>
#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "host/core/mutex.h"
#include "host/plugin/adapter.h"
#include "host/plugin/check_table.h"
#include "host/plugin/elf_file.h"

namespace kps {
namespace {

// The loader knows a library by the path that it was opened with, also when the file is gone.
bool IsResident(const std::string& path) {
  void* const library = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  if (library != nullptr) dlclose(library);
  return library != nullptr;
}

// The files that were loaded and not yet seen unmapped.
class LoadedFiles {
 public:
  void Add(const std::string& path) {
    MutexLock lock(mutex_);
    paths_.insert(path);
    ForgetUnmapped();
  }
  std::size_t Count() {
    MutexLock lock(mutex_);
    ForgetUnmapped();
    return paths_.size();
  }

 private:
  void ForgetUnmapped() KPS_REQUIRES(mutex_) {
    std::erase_if(paths_, [](const std::string& path) { return !IsResident(path); });
  }

  Mutex mutex_;
  std::set<std::string> paths_ KPS_GUARDED_BY(mutex_);
};

LoadedFiles& Loaded() {
  static LoadedFiles files;
  return files;
}

// From now on no dlclose unmaps the library at `path`, which is loaded.
void StayLoaded(const std::string& path) {
  void* const library = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  if (library != nullptr) dlclose(library);
}

// Also of a table that is refused afterwards: its library would not bear being unmapped, either.
bool ForbidsUnload(const kps_plugin* table) {
  return table->struct_size >= offsetof(kps_plugin, flags) + sizeof table->flags &&
         (table->flags & KPS_FLAG_NO_UNLOAD) != 0;
}

}  // namespace

Result<LoadedTable> LoadTable(const std::string& path, const LoadOptions& options) {
  if (Error error = CheckElf(path); !error.ok()) return error;

  // An absolute path keeps dlopen from searching LD_LIBRARY_PATH.
  const std::string file = std::filesystem::absolute(path).string();
  std::shared_ptr<boost::dll::shared_library> library;
  try {
    // RTLD_NOW: a missing function is an error here and not a crash at its first call. Only the throwing constructor
    // carries dlerror's text.
    library = std::make_shared<boost::dll::shared_library>(file, boost::dll::load_mode::rtld_now);
  } catch (const std::exception& exception) {
    return Error(Code::kFailedPrecondition, "cannot load " + path + ": " + exception.what());
  }
  Loaded().Add(file);
  if (options.no_unload) StayLoaded(file);
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
  if (ForbidsUnload(table)) StayLoaded(file);
  if (Error error = CheckTable(table); !error.ok()) return Error(error.code(), path + " " + error.message());
  return LoadedTable{table, library};
}

Result<std::unique_ptr<Plugin>> LoadPlugin(const std::string& path, const LoadOptions& options) {
  auto loaded = LoadTable(path, options);
  if (!loaded.ok()) return loaded.error();
  return AdaptPlugin(loaded.value().table, std::move(loaded.value().handle));
}

std::size_t ResidentLibraries() { return Loaded().Count(); }

}  // namespace kps
