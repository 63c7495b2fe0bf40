# install, and what find_package(troupe) reads.

include(CMakePackageConfigHelpers)

set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/troupe)
set(targets troupe_core)
if(TROUPE_WITH_ACTORS)
  list(APPEND targets troupe_actors)
endif()
if(TROUPE_WITH_NETWORK)
  list(APPEND targets troupe_network)
endif()

install(TARGETS ${targets} EXPORT troupeTargets
  FILE_SET HEADERS
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT troupeTargets NAMESPACE troupe:: DESTINATION ${folder})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/troupe)

configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/troupeConfig.cmake.in
  ${PROJECT_BINARY_DIR}/troupeConfig.cmake
  INSTALL_DESTINATION ${folder})
# Before 1.0, a minor version may break what the last one promised.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/troupeConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/troupeConfig.cmake
  ${PROJECT_BINARY_DIR}/troupeConfigVersion.cmake
  DESTINATION ${folder})
