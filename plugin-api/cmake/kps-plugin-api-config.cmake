# find_package(kps-plugin-api): the target kps::plugin-api and the function kps_add_plugin().
include(${CMAKE_CURRENT_LIST_DIR}/targets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/KpsAddPlugin.cmake)
