# Enables CUDA when a compiler for it works together with the C++ compiler; sets LVSA_HAS_CUDA.
# Where it does not, AUTO leaves the CUDA part out with one line that says why, and asks again at
# the next configuration: the machine may have been given a toolkit since.

set(LVSA_HAS_CUDA OFF)
if(NOT LVSA_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "LVSA_CUDA is '${LVSA_CUDA}': it takes AUTO, ON or OFF")
endif()

# Sets OUT_VAR to the path of nvcc, or to something false.
function(lvsa_find_nvcc out_var)
  if(CMAKE_CUDA_COMPILER)
    set(${out_var} "${CMAKE_CUDA_COMPILER}" PARENT_SCOPE)
    return()
  endif()
  # The toolkit's installer leaves PATH alone, so its usual place is searched too.
  find_program(nvcc NAMES "$ENV{CUDACXX}" nvcc
    HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin NO_CACHE)
  set(${out_var} "${nvcc}" PARENT_SCOPE)
endfunction()

# Builds a small project with NVCC; sets LVSA_CUDA_WORKS and keeps what the build printed in a file.
# CMake's check_language() does not know the language version and the architectures asked for, and
# remembers a no for ever.
function(lvsa_check_cuda nvcc)
  set(asked "${nvcc} ${CMAKE_CUDA_HOST_COMPILER} ${LVSA_CUDA_ARCHITECTURES}")
  if(LVSA_CUDA_WORKS STREQUAL asked)
    return()
  endif()
  set(folder "${PROJECT_BINARY_DIR}/CMakeFiles/cuda_check")
  file(REMOVE_RECURSE "${folder}")
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -S "${PROJECT_SOURCE_DIR}/cmake/cuda_check" -B "${folder}"
      -G "${CMAKE_GENERATOR}" "-DCMAKE_MAKE_PROGRAM=${CMAKE_MAKE_PROGRAM}"
      "-DCMAKE_CUDA_COMPILER=${nvcc}"
      "-DCMAKE_CUDA_HOST_COMPILER=${CMAKE_CUDA_HOST_COMPILER}"
      "-DCMAKE_CUDA_ARCHITECTURES=${LVSA_CUDA_ARCHITECTURES}"
    OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE status)
  if(status EQUAL 0)
    execute_process(COMMAND "${CMAKE_COMMAND}" --build "${folder}"
      OUTPUT_VARIABLE build_output ERROR_VARIABLE build_output RESULT_VARIABLE status)
  endif()
  file(WRITE "${PROJECT_BINARY_DIR}/cuda_check.log" "${output}${build_output}")
  if(status EQUAL 0)
    set(LVSA_CUDA_WORKS "${asked}" CACHE INTERNAL "The CUDA compiler that passed the check")
  else()
    unset(LVSA_CUDA_WORKS CACHE)
  endif()
endfunction()

if(LVSA_CUDA STREQUAL "OFF")
  set(lvsa_cuda_reason "LVSA_CUDA is OFF")
else()
  lvsa_find_nvcc(lvsa_nvcc)
  if(NOT lvsa_nvcc)
    set(lvsa_cuda_reason "no CUDA compiler (nvcc) found")
  else()
    # nvcc would take whichever g++ comes first on PATH, not the one that compiles the rest.
    if(NOT CMAKE_CUDA_HOST_COMPILER AND NOT DEFINED ENV{CUDAHOSTCXX})
      set(CMAKE_CUDA_HOST_COMPILER "${CMAKE_CXX_COMPILER}" CACHE FILEPATH "C++ compiler that nvcc calls")
    endif()
    lvsa_check_cuda("${lvsa_nvcc}")
    if(LVSA_CUDA_WORKS)
      set(LVSA_HAS_CUDA ON)
    else()
      string(CONCAT lvsa_cuda_reason "${lvsa_nvcc} does not work with ${CMAKE_CXX_COMPILER_ID} "
        "${CMAKE_CXX_COMPILER_VERSION} (details: ${PROJECT_BINARY_DIR}/cuda_check.log)")
    endif()
  endif()
endif()

if(LVSA_HAS_CUDA)
  set(CMAKE_CUDA_COMPILER "${lvsa_nvcc}")
  set(CMAKE_CUDA_ARCHITECTURES "${LVSA_CUDA_ARCHITECTURES}")
  # The executable must start where no CUDA library is installed.
  set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
  enable_language(CUDA)
  include(cuda_standard)
  # CMake 3.25.1 stops where the toolkit lacks this library, which CUDA 13 has no more.
  if(NOT TARGET CUDA::nvToolsExt)
    add_library(CUDA::nvToolsExt INTERFACE IMPORTED)
  endif()
  find_package(CUDAToolkit REQUIRED)
elseif(LVSA_CUDA STREQUAL "ON")
  message(FATAL_ERROR "LVSA_CUDA is ON, but ${lvsa_cuda_reason}")
else()
  message(STATUS "CUDA part left out: ${lvsa_cuda_reason}")
endif()
