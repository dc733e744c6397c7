# Installs what the author of a plugin needs: headers, find_package(kps-plugin-api), pkg-config. No file of it depends on
# the machine, and none names the prefix: the tree may be moved.
include(CMakePackageConfigHelpers)
set(package_dir share/cmake/kps-plugin-api)
set(package_files ${CMAKE_CURRENT_BINARY_DIR}/package)

set_target_properties(kps-plugin-api PROPERTIES EXPORT_NAME plugin-api)
install(TARGETS kps-plugin-api EXPORT kps-plugin-api COMPONENT dev)
install(EXPORT kps-plugin-api NAMESPACE kps:: FILE targets.cmake DESTINATION ${package_dir} COMPONENT dev)
install(DIRECTORY include/kps DESTINATION include COMPONENT dev)

write_basic_package_version_file(
  ${package_files}/kps-plugin-api-config-version.cmake COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
install(
  FILES cmake/kps-plugin-api-config.cmake ${package_files}/kps-plugin-api-config-version.cmake cmake/KpsAddPlugin.cmake
    cmake/kps_plugin.map cmake/check_plugin.sh
  DESTINATION ${package_dir} COMPONENT dev)

configure_file(cmake/kps-plugin-api.pc.in ${package_files}/kps-plugin-api.pc @ONLY)
install(FILES ${package_files}/kps-plugin-api.pc DESTINATION share/pkgconfig COMPONENT dev)
