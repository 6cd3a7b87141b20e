# `cmake --install`: libraries, headers, lvsa-verify with its data, and the package that find_package(lvsa) finds.

include(CMakePackageConfigHelpers)

get_property(lvsa_installed GLOBAL PROPERTY LVSA_INSTALLED_TARGETS)
set(LVSA_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/lvsa")
# Everything lies below one folder, so that `core/...` cannot meet another project's.
set(LVSA_HEADER_DIR "${CMAKE_INSTALL_INCLUDEDIR}/lvsa")

if(lvsa_installed)
  install(TARGETS ${lvsa_installed}
    EXPORT lvsaTargets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    FILE_SET HEADERS DESTINATION "${LVSA_HEADER_DIR}"
    FILE_SET generated DESTINATION "${LVSA_HEADER_DIR}"
    INCLUDES DESTINATION "${LVSA_HEADER_DIR}")
  install(EXPORT lvsaTargets NAMESPACE lvsa:: DESTINATION "${LVSA_PACKAGE_DIR}")
endif()

if(TARGET lvsa-verify)
  install(TARGETS lvsa-verify RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  # Its suites replay recorded vectors; it looks for them beside itself, in ../share.
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/fixtures/"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/lvsa/fixtures"
    PATTERN "fuzz" EXCLUDE)
endif()

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/lvsaConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/lvsaConfig.cmake"
  INSTALL_DESTINATION "${LVSA_PACKAGE_DIR}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/lvsaConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(
  FILES
    "${PROJECT_BINARY_DIR}/lvsaConfig.cmake"
    "${PROJECT_BINARY_DIR}/lvsaConfigVersion.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/FindHDF5C.cmake"
  DESTINATION "${LVSA_PACKAGE_DIR}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
