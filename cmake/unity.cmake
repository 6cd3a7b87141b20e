# Several source files as one for the compiler, which then reads headers and makes templates once for all of them.
#
# Which ones go together is for unity.awk to say: files in which no name means another thing for that. It is asked
# at every configuration, which ./dev makes before each build.

find_program(LVSA_AWK NAMES awk mawk gawk DOC "Any awk, for LVSA_UNITY")
mark_as_advanced(LVSA_AWK)
if(LVSA_UNITY AND NOT LVSA_AWK)
  message(STATUS "LVSA_UNITY: there is no awk here, so every file is compiled alone")
endif()

# lvsa_unity(TARGET): to be called last, in the folder that makes the target. Where -ffp-contract=off is all that
# single sources ask for, the whole target is compiled so: those with options of their own stay alone.
function(lvsa_unity target)
  if(NOT LVSA_UNITY OR NOT LVSA_AWK)
    return()
  endif()
  # A file that no test needs is not linked, and its lines do not count; in company it would be.
  if(LVSA_COVERAGE AND target MATCHES "^lvsa_(core|reference)$")
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  set(together "")
  foreach(source IN LISTS sources)
    get_property(options SOURCE "${source}" PROPERTY COMPILE_OPTIONS)
    if(options STREQUAL "-ffp-contract=off")
      set_property(SOURCE "${source}" PROPERTY COMPILE_OPTIONS)
      target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off>")
      unset(options)
    endif()
    if(source MATCHES "\\.cpp$" AND NOT options)
      list(APPEND together "${source}")
    endif()
  endforeach()
  execute_process(COMMAND "${LVSA_AWK}" -v root=${PROJECT_SOURCE_DIR} -v most=16
      -f "${PROJECT_SOURCE_DIR}/cmake/unity.awk" ${together}
    OUTPUT_VARIABLE lines OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\n" ";" lines "${lines}")
  foreach(line IN LISTS lines)
    if(line MATCHES "^([0-9]+) (.*)$")
      set_property(SOURCE "${CMAKE_MATCH_2}" PROPERTY UNITY_GROUP "${CMAKE_MATCH_1}")
    endif()
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  # gcc takes what is included for a header, whose classes must have no members of a type from an unnamed namespace.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:-Wno-subobject-linkage>")
  endif()
endfunction()
