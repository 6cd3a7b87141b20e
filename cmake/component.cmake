# A component is one top-level folder with a static library: all its .cpp files, all its headers.

# lvsa_component(NAME [EXCLUDE REGEX])
# Makes lvsa_NAME and lvsa::NAME from the files of the calling folder; paths that match REGEX, seen
# from that folder, are not part of it. Sources are globbed because several people add files at the
# same time; CONFIGURE_DEPENDS has the build notice them. Makes nothing while there are no sources.
function(lvsa_component name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "EXCLUDE" "")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS
    "${CMAKE_CURRENT_SOURCE_DIR}/*.hpp" "${CMAKE_CURRENT_SOURCE_DIR}/*.h")
  if(arg_EXCLUDE)
    lvsa_exclude(sources "${arg_EXCLUDE}")
    lvsa_exclude(headers "${arg_EXCLUDE}")
  endif()
  # Bodies that the versions of a function share; they are no interface and compile only there.
  list(FILTER headers EXCLUDE REGEX "_(avx2|avx512|inl|impl)\\.hpp$")
  lvsa_simd_sources(sources)
  if(NOT sources)
    return()
  endif()

  set(target lvsa_${name})
  add_library(${target} STATIC ${sources})
  add_library(lvsa::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${name}
    VERIFY_INTERFACE_HEADER_SETS ON)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_definitions(${target} PRIVATE LVSA_SIMD_X86=${LVSA_SIMD_X86})
  target_sources(${target} PUBLIC
    FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${headers})
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:lvsa_warnings>)
  if(name MATCHES "^(core|reference)$")
    lvsa_count_lines(${target})
  endif()
  set_property(GLOBAL APPEND PROPERTY LVSA_INSTALLED_TARGETS ${target})
endfunction()

# Drops the paths that match REGEX below the calling folder: a match in the path of the checkout
# itself must not count.
function(lvsa_exclude list_var regex)
  set(kept "")
  foreach(path IN LISTS ${list_var})
    file(RELATIVE_PATH relative "${CMAKE_CURRENT_SOURCE_DIR}" "${path}")
    if(NOT relative MATCHES "${regex}")
      list(APPEND kept "${path}")
    endif()
  endforeach()
  set(${list_var} "${kept}" PARENT_SCOPE)
endfunction()

# Links TARGET to those of the libraries that exist: a component without sources makes none.
function(lvsa_link_existing target scope)
  foreach(library IN LISTS ARGN)
    if(TARGET ${library})
      target_link_libraries(${target} ${scope} ${library})
    endif()
  endforeach()
endfunction()
