# Makes core/version.hpp in the build tree: what was built, from which commit, by which compiler.
#
# The commit changes without a new configuration, so a script asks for it at every build and writes
# the file only when something in it changed. Include that header in as few sources as possible:
# those are compiled anew with every commit.

set(LVSA_GENERATED_DIR "${PROJECT_BINARY_DIR}/include")
set(LVSA_VERSION_HEADER "${LVSA_GENERATED_DIR}/core/version.hpp")

string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type_upper)
string(STRIP "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${build_type_upper}}" lvsa_flags)
if(LVSA_SANITIZE)
  string(APPEND lvsa_flags " -fsanitize=${LVSA_SANITIZE}")
endif()

set(lvsa_version_command
  "${CMAKE_COMMAND}"
  "-DSOURCE_DIR=${PROJECT_SOURCE_DIR}"
  "-DOUTPUT=${LVSA_VERSION_HEADER}"
  "-DVERSION=${PROJECT_VERSION}"
  "-DCOMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
  "-DBUILD_TYPE=${CMAKE_BUILD_TYPE}"
  "-DFLAGS=${lvsa_flags}"
  -P "${PROJECT_SOURCE_DIR}/cmake/write_version.cmake")

# Once now, so that the file is there for everyone who reads the tree before the first build.
execute_process(COMMAND ${lvsa_version_command} COMMAND_ERROR_IS_FATAL ANY)
add_custom_target(lvsa_version
  COMMAND ${lvsa_version_command}
  BYPRODUCTS "${LVSA_VERSION_HEADER}"
  COMMENT "Looking for the current commit"
  VERBATIM)
