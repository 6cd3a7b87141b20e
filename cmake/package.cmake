# `cpack`: lvsa-verify_*.deb (the tool, its data, manual) and liblvsa-dev_*.deb (libraries and headers), and one .tar.gz
# with everything. ./dev package calls it.

set(CPACK_PACKAGE_NAME lvsa)
set(CPACK_PACKAGE_VENDOR "LVSA toolkit")
set(CPACK_PACKAGE_CONTACT "LVSA toolkit developers <lvsa@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_GENERATOR "TGZ;DEB")
set(CPACK_PACKAGE_FILE_NAME "lvsa-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR}")
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 0)
set(CPACK_COMPONENTS_ALL tool development)
set(CPACK_ARCHIVE_COMPONENT_INSTALL OFF)
set(CPACK_PACKAGING_INSTALL_PREFIX "/usr")

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_TOOL_PACKAGE_NAME lvsa-verify)
set(CPACK_DEBIAN_TOOL_PACKAGE_SECTION science)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME liblvsa-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "lvsa-verify (= ${PROJECT_VERSION}), libhdf5-dev, libfmt-dev, libspdlog-dev, zlib1g-dev, libpng-dev")
set(CPACK_COMPONENT_TOOL_DESCRIPTION "lvsa-verify judges attention kernels against LVSA's rules")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "Libraries and headers of the LVSA toolkit")
# Which libraries the tool needs is read from it, where the program that can is there.
find_program(lvsa_dpkg_shlibdeps dpkg-shlibdeps)
mark_as_advanced(lvsa_dpkg_shlibdeps)
if(lvsa_dpkg_shlibdeps)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
endif()
include(CPack)
