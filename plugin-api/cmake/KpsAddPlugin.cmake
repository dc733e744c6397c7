# kps_add_plugin(NAME SOURCES a.cc ... [LIBRARIES lib ...])
#
# Builds NAME.so, the target NAME, the way a plugin has to be built so that a host can load it, swap it and unload
# it. The finished file is checked, then moved in one step to ${KPS_PLUGIN_OUTPUT_DIRECTORY} (default: the current
# binary directory), where a host with --watch picks it up: a half-written or rejected file never appears there.
include_guard(GLOBAL)

get_property(kps_languages GLOBAL PROPERTY ENABLED_LANGUAGES)
if("CXX" IN_LIST kps_languages) # a project may be in C alone
  include(CheckCXXCompilerFlag)
  check_cxx_compiler_flag(-fno-gnu-unique KPS_HAS_NO_GNU_UNIQUE)
endif()
find_program(KPS_READELF NAMES ${CMAKE_READELF} readelf llvm-readelf REQUIRED)

function(kps_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "kps_add_plugin(${name} SOURCES a.cc ... [LIBRARIES lib ...]): got ${ARGN}")
  endif()
  if(NOT name MATCHES "^[a-z][a-z0-9-]*$")
    message(FATAL_ERROR "kps_add_plugin(${name}): the name of a plugin matches [a-z][a-z0-9-]*")
  endif()
  set(version_script ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/kps_plugin.map)
  set(check_script ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/check_plugin.sh)

  add_library(${name} MODULE ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE kps::plugin-api ${arg_LIBRARIES})
  if(TARGET kps-warnings)
    target_link_libraries(${name} PRIVATE kps-warnings)
  endif()
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so" POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON LINK_DEPENDS "${version_script};${check_script}"
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/unchecked)
  target_compile_options(${name} PRIVATE -g)
  if(KPS_HAS_NO_GNU_UNIQUE)
    target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-gnu-unique>)
  endif()
  target_link_options(${name} PRIVATE
    -Wl,-z,now -Wl,-z,relro -Wl,--build-id -Wl,--exclude-libs,ALL -Wl,--version-script=${version_script})
  # clang leaves the sanitizers' functions to the program, so there they stay undefined.
  set(sanitized OFF)
  if(KPS_SANITIZE OR CMAKE_CXX_FLAGS MATCHES "-fsanitize=")
    set(sanitized ON)
  endif()
  if(NOT (sanitized AND CMAKE_CXX_COMPILER_ID MATCHES Clang))
    target_link_options(${name} PRIVATE -Wl,--no-undefined)
  endif()

  set(output_directory ${CMAKE_CURRENT_BINARY_DIR})
  if(KPS_PLUGIN_OUTPUT_DIRECTORY)
    set(output_directory ${KPS_PLUGIN_OUTPUT_DIRECTORY})
  endif()
  set(temporary ${output_directory}/.${name}.so.new)
  add_custom_command(TARGET ${name} POST_BUILD
    COMMAND sh ${check_script} $<TARGET_FILE:${name}> ${KPS_READELF}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${output_directory}
    COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_FILE:${name}> ${temporary}
    COMMAND ${CMAKE_COMMAND} -E rename ${temporary} ${output_directory}/${name}.so
    COMMENT "Checking plugin ${name}" VERBATIM)
  # Where the finished plugin is, for install rules and tests.
  set_target_properties(${name} PROPERTIES KPS_PLUGIN_FILE ${output_directory}/${name}.so)
endfunction()
