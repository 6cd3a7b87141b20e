# Finds HDF5's C library and its high-level part (dimension scales), and defines HDF5C::HDF5C.
#
# CMake's own FindHDF5 asks the compiler wrapper h5cc, which takes seconds, may belong to another
# installation than the headers (MPI, conda), and needs the C language in the project that looks.
# Debian and Ubuntu keep the serial build beside the MPI ones under names of its own.
# HDF5_ROOT and CMAKE_PREFIX_PATH are searched first.

find_path(HDF5C_INCLUDE_DIR hdf5.h
  HINTS "${HDF5_ROOT}" "$ENV{HDF5_ROOT}"
  PATH_SUFFIXES include hdf5/serial include/hdf5/serial)
find_library(HDF5C_LIBRARY
  NAMES hdf5_serial hdf5
  HINTS "${HDF5_ROOT}" "$ENV{HDF5_ROOT}"
  PATH_SUFFIXES lib hdf5/serial)
find_library(HDF5C_HL_LIBRARY
  NAMES hdf5_serial_hl hdf5_hl
  HINTS "${HDF5_ROOT}" "$ENV{HDF5_ROOT}"
  PATH_SUFFIXES lib hdf5/serial)

if(HDF5C_INCLUDE_DIR)
  foreach(header H5pubconf.h H5pubconf-64.h H5pubconf-32.h)
    if(NOT HDF5C_VERSION AND EXISTS "${HDF5C_INCLUDE_DIR}/${header}")
      file(STRINGS "${HDF5C_INCLUDE_DIR}/${header}" line REGEX "^#define H5_VERSION \"" LIMIT_COUNT 1)
      string(REGEX MATCH "[0-9]+(\\.[0-9]+)+" HDF5C_VERSION "${line}")
    endif()
  endforeach()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(HDF5C
  REQUIRED_VARS HDF5C_LIBRARY HDF5C_HL_LIBRARY HDF5C_INCLUDE_DIR
  VERSION_VAR HDF5C_VERSION)
mark_as_advanced(HDF5C_INCLUDE_DIR HDF5C_LIBRARY HDF5C_HL_LIBRARY)

if(HDF5C_FOUND AND NOT TARGET HDF5C::HDF5C)
  add_library(HDF5C::HDF5C UNKNOWN IMPORTED)
  set_target_properties(HDF5C::HDF5C PROPERTIES
    IMPORTED_LOCATION "${HDF5C_LIBRARY}"
    INTERFACE_LINK_LIBRARIES "${HDF5C_HL_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${HDF5C_INCLUDE_DIR}")
endif()
