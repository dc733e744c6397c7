# Debian packages, one for each component of the install rules; scripts/package makes them.
get_property(bundled_plugins GLOBAL PROPERTY KPS_BUNDLED_PLUGINS)
add_custom_target(installable)
add_dependencies(installable kps-connector-host kps-connector ${bundled_plugins})

set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_PACKAGE_NAME kps-connector)
set(CPACK_PACKAGE_CONTACT "kps-connector-host developers <developers@kps-connector-host.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)

# kps_debian_package(COMPONENT NAME SECTION DESCRIPTION [FIELD VALUE]...)
function(kps_debian_package component name section description)
  string(TOUPPER ${component} prefix)
  set(CPACK_COMPONENT_${prefix}_DESCRIPTION "${description}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${prefix}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${prefix}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(fields ${ARGN})
  while(fields)
    list(POP_FRONT fields field value)
    set(CPACK_DEBIAN_${prefix}_PACKAGE_${field} "${value}" PARENT_SCOPE)
  endwhile()
  install(FILES packaging/copyright DESTINATION share/doc/${name} COMPONENT ${component})
endfunction()

kps_debian_package(host kps-connector-host net
[[runs connectors of the KPS data platform
kps-connector-host carries messages between a data service and the
platform's transport: a plugin talks to the service, the platform says
over gRPC what is carried. kps-connector is its client, and has the tools
for authors of plugins.]]
  RECOMMENDS kps-connector-plugins SUGGESTS "kps-plugin-api-dev, nats-server")
kps_debian_package(plugins kps-connector-plugins net
[[connector plugins for kps-connector-host
The plugins that come with the host: file follows files and appends to
them, mqtt and kafka read and write topics, nats reads and writes subjects
and JetStream streams, http takes and sends requests, generator makes and
checks messages.]]
  RECOMMENDS kps-connector-host)
# Headers alone, for every architecture. kps/cpp/params.hpp includes RapidJSON.
kps_debian_package(dev kps-plugin-api-dev libdevel
[[write connector plugins for kps-connector-host
The plugin ABI in C, a C++ layer over it, and what builds and checks
plugins with CMake or pkg-config. "kps-connector plugin new" begins one.]]
  ARCHITECTURE all SHLIBDEPS OFF DEPENDS rapidjson-dev RECOMMENDS "kps-connector-host, cmake, g++, pkg-config")

set(CPACK_COMPONENTS_ALL host plugins dev)
include(CPack)
