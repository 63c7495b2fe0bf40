# The layers, lowest first. An include goes to its own layer or one before it;
# tests/layering checks that.

set(TROUPE_CORE_LAYERS base os memory codec mailbox process shared channel)
set(TROUPE_FRAMEWORK_LAYERS transport runtime)
set(TROUPE_ACTOR_LAYERS sync state pool)
set(TROUPE_LAYERS ${TROUPE_CORE_LAYERS} ${TROUPE_FRAMEWORK_LAYERS}
  ${TROUPE_ACTOR_LAYERS})

if(TROUPE_LAST_LAYER)
  list(FIND TROUPE_LAYERS ${TROUPE_LAST_LAYER} last)
  if(last EQUAL -1)
    message(FATAL_ERROR "TROUPE_LAST_LAYER is none of: ${TROUPE_LAYERS}")
  endif()
  math(EXPR count "${last} + 1")
  list(SUBLIST TROUPE_LAYERS 0 ${count} TROUPE_LAYERS)
endif()

# troupe_add_subdirectories(name...)
#
# Adds the folders, leaving out layers above TROUPE_LAST_LAYER.
function(troupe_add_subdirectories)
  set(all ${TROUPE_CORE_LAYERS} ${TROUPE_FRAMEWORK_LAYERS} ${TROUPE_ACTOR_LAYERS})
  foreach(folder IN LISTS ARGN)
    get_filename_component(layer ${folder} NAME)
    if(layer IN_LIST all AND NOT layer IN_LIST TROUPE_LAYERS)
      continue()
    endif()
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt)
      add_subdirectory(${folder})
    endif()
  endforeach()
endfunction()

# troupe_add_library(name LINK target...)
#
# A static library troupe_<name>, known to everyone, here and installed, as
# troupe::<name>. The layers' folders add the sources and headers to it.
function(troupe_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINK")
  set(target troupe_${name})
  add_library(${target} STATIC)
  add_library(troupe::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${name}
    POSITION_INDEPENDENT_CODE ON
    CXX_EXTENSIONS OFF
    VERIFY_INTERFACE_HEADER_SETS ${TROUPE_BUILD_TESTS})
  # A library needs a source; until its layers have one, this is it.
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/empty.cpp CONTENT "")
  target_sources(${target} PRIVATE ${PROJECT_BINARY_DIR}/empty.cpp)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_sources(${target} PUBLIC FILE_SET HEADERS
    BASE_DIRS ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${target} PUBLIC ${arg_LINK}
    PRIVATE $<BUILD_INTERFACE:troupe_warnings>)
endfunction()
