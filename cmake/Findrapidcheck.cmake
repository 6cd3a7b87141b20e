# Finds rapidcheck and defines rapidcheck::rapidcheck.
#
# The name and the presence of rapidcheck's own package file differ between distributions and
# between releases of it; its header and its library do not.

find_path(rapidcheck_INCLUDE_DIR rapidcheck.h)
find_library(rapidcheck_LIBRARY rapidcheck)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(rapidcheck
  REQUIRED_VARS rapidcheck_LIBRARY rapidcheck_INCLUDE_DIR)
mark_as_advanced(rapidcheck_INCLUDE_DIR rapidcheck_LIBRARY)

if(rapidcheck_FOUND AND NOT TARGET rapidcheck::rapidcheck)
  add_library(rapidcheck::rapidcheck UNKNOWN IMPORTED)
  set_target_properties(rapidcheck::rapidcheck PROPERTIES
    IMPORTED_LOCATION "${rapidcheck_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${rapidcheck_INCLUDE_DIR}")
endif()
