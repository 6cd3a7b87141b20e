# What holds for every target of this project.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# The static libraries also end up in kernels that are loaded as shared libraries.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# tools/coverage.sh has a floor for core and reference alone: these and their tests count which lines run.
if(LVSA_COVERAGE)
  add_link_options(-fprofile-instr-generate)
endif()
function(lvsa_count_lines target)
  if(LVSA_COVERAGE)
    target_compile_options(${target} PRIVATE
      "$<$<COMPILE_LANGUAGE:C,CXX>:-fprofile-instr-generate;-fcoverage-mapping>")
  endif()
endfunction()

if(LVSA_SANITIZE)
  add_compile_options(
    "$<$<COMPILE_LANGUAGE:C,CXX>:-fsanitize=${LVSA_SANITIZE};-fno-omit-frame-pointer;-fno-sanitize-recover=all>")
  add_link_options("-fsanitize=${LVSA_SANITIZE}")
  # gcc's frames that watch for use after return are not aligned enough for AVX-512 (gcc bug 110027).
  if(LVSA_SANITIZE MATCHES "address" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options("$<$<COMPILE_LANGUAGE:C,CXX>:--param=asan-use-after-return=0>")
  endif()
endif()
