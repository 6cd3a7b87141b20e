# `cmake --install`: libraries, headers, lvsa-verify with its data, and the package that find_package(lvsa) finds.

include(CMakePackageConfigHelpers)

get_property(lvsa_installed GLOBAL PROPERTY LVSA_INSTALLED_TARGETS)
set(LVSA_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/lvsa")
# Everything lies below one folder, so that `core/...` cannot meet another project's.
set(LVSA_HEADER_DIR "${CMAKE_INSTALL_INCLUDEDIR}/lvsa")

if(lvsa_installed)
  install(TARGETS ${lvsa_installed}
    EXPORT lvsaTargets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT tool
    FILE_SET HEADERS DESTINATION "${LVSA_HEADER_DIR}" COMPONENT development
    FILE_SET generated DESTINATION "${LVSA_HEADER_DIR}" COMPONENT development
    INCLUDES DESTINATION "${LVSA_HEADER_DIR}")
  install(EXPORT lvsaTargets NAMESPACE lvsa:: DESTINATION "${LVSA_PACKAGE_DIR}"
    COMPONENT development)
endif()

if(TARGET lvsa-verify)
  install(TARGETS lvsa-verify RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT tool)
  # Its suites replay recorded vectors; it looks for them beside itself, in ../share.
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/fixtures/"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/lvsa/fixtures" COMPONENT tool
    PATTERN "fuzz" EXCLUDE)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/python/" DESTINATION "${CMAKE_INSTALL_DATADIR}/lvsa/python"
    COMPONENT tool FILES_MATCHING PATTERN "*.py")
  # Manual pages and completion scripts, from the program's own help.
  set(lvsa_share "${PROJECT_BINARY_DIR}/share")
  add_custom_command(OUTPUT "${lvsa_share}/man/man1/lvsa-verify.1"
    COMMAND ${CMAKE_COMMAND} -E rm -rf "${lvsa_share}"
    COMMAND lvsa-verify manual --out "${lvsa_share}"
    DEPENDS lvsa-verify VERBATIM COMMENT "Manual pages")
  add_custom_target(lvsa_manual ALL DEPENDS "${lvsa_share}/man/man1/lvsa-verify.1")
  install(DIRECTORY "${lvsa_share}/man/" DESTINATION "${CMAKE_INSTALL_MANDIR}" COMPONENT tool)
  foreach(folder bash-completion zsh fish)
    install(DIRECTORY "${lvsa_share}/${folder}" DESTINATION "${CMAKE_INSTALL_DATADIR}" COMPONENT tool)
  endforeach()
endif()

if(TARGET lvsa_mpi)
  # Where lvsa-verify looks for it: beside its own folder.
  install(TARGETS lvsa_mpi LIBRARY DESTINATION lib/lvsa COMPONENT tool)
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
  DESTINATION "${LVSA_PACKAGE_DIR}" COMPONENT development)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/CHANGELOG.md"
  "${PROJECT_SOURCE_DIR}/README.md" DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT tool)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs/" DESTINATION "${CMAKE_INSTALL_DOCDIR}/docs" COMPONENT tool)

include(package)
