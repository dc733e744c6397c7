# In this repository, find_package(kps-plugin-api) finds what is there already.
if(NOT TARGET kps::plugin-api OR NOT COMMAND kps_add_plugin)
  message(FATAL_ERROR "kps-plugin-api: the plugins of samples/plugins are built after plugin-api/")
endif()
