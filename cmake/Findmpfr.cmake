# Finds MPFR and defines mpfr::mpfr; distributions have no package file of its own for CMake.

find_path(mpfr_INCLUDE_DIR mpfr.h)
find_library(mpfr_LIBRARY mpfr)
find_library(mpfr_GMP_LIBRARY gmp)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(mpfr
  REQUIRED_VARS mpfr_LIBRARY mpfr_GMP_LIBRARY mpfr_INCLUDE_DIR)
mark_as_advanced(mpfr_INCLUDE_DIR mpfr_LIBRARY mpfr_GMP_LIBRARY)

if(mpfr_FOUND AND NOT TARGET mpfr::mpfr)
  add_library(mpfr::mpfr UNKNOWN IMPORTED)
  set_target_properties(mpfr::mpfr PROPERTIES
    IMPORTED_LOCATION "${mpfr_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${mpfr_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "${mpfr_GMP_LIBRARY}")
endif()
