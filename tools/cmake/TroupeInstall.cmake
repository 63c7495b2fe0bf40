# install, and what find_package(troupe) and pkg-config read. Each library is a
# component of its own: cmake --install <folder> --component core. Nothing that
# is installed names a folder of this machine, so that it may be moved.

include(CMakePackageConfigHelpers)

set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/troupe)
file(RELATIVE_PATH relative_prefix
  /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" relative_prefix "${relative_prefix}")

foreach(component IN LISTS TROUPE_BUILT_COMPONENTS)
  install(TARGETS troupe_${component} EXPORT troupe-${component}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component}
    FILE_SET HEADERS
      DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT ${component}
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT troupe-${component} NAMESPACE troupe::
    FILE troupe-${component}-targets.cmake
    DESTINATION ${folder} COMPONENT ${component})
  configure_file(${CMAKE_CURRENT_LIST_DIR}/troupe-${component}.pc.in
    ${PROJECT_BINARY_DIR}/troupe-${component}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/troupe-${component}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT ${component})
endforeach()

configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/troupeConfig.cmake.in
  ${PROJECT_BINARY_DIR}/troupeConfig.cmake
  INSTALL_DESTINATION ${folder}
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0, a minor version may break what the last one promised.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/troupeConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/troupeConfig.cmake
  ${PROJECT_BINARY_DIR}/troupeConfigVersion.cmake
  DESTINATION ${folder} COMPONENT core)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/troupe COMPONENT core)
