# The layers, lowest first, each as the folder that it is. This is the one list:
# tests/layering reads it, to check includes and the pictures in the READMEs.
# An include goes to its own layer or one before it. A name that stands under
# both roofs is one layer in two halves: framework/ has what needs no CAF,
# actors/ what is a CAF actor or carries one.

set(TROUPE_CORE_LAYERS framework/base framework/supervision framework/os
  framework/memory framework/codec framework/calls framework/mailbox
  framework/process framework/shared framework/channel framework/sync
  framework/state framework/pool framework/inspection)
set(TROUPE_ACTORS_LAYERS actors/transport actors/runtime actors/sync
  actors/state actors/pool)
set(TROUPE_NETWORK_LAYERS actors/network actors/machines)
set(TROUPE_LAYERS ${TROUPE_CORE_LAYERS} ${TROUPE_ACTORS_LAYERS}
  ${TROUPE_NETWORK_LAYERS})

# What is built: the libraries that TROUPE_COMPONENTS names and those below
# them, up to TROUPE_LAST_LAYER.
foreach(component IN LISTS TROUPE_COMPONENTS)
  if(NOT component MATCHES "^(core|actors|network)$")
    message(FATAL_ERROR
      "TROUPE_COMPONENTS names ${component}; there are core, actors and network")
  endif()
endforeach()
set(TROUPE_BUILT_LAYERS ${TROUPE_CORE_LAYERS})
if("actors" IN_LIST TROUPE_COMPONENTS OR "network" IN_LIST TROUPE_COMPONENTS)
  list(APPEND TROUPE_BUILT_LAYERS ${TROUPE_ACTORS_LAYERS})
endif()
if("network" IN_LIST TROUPE_COMPONENTS)
  list(APPEND TROUPE_BUILT_LAYERS ${TROUPE_NETWORK_LAYERS})
endif()
if(TROUPE_LAST_LAYER)
  list(FIND TROUPE_LAYERS "${TROUPE_LAST_LAYER}" last)
  if(last EQUAL -1)
    message(FATAL_ERROR "TROUPE_LAST_LAYER is none of: ${TROUPE_LAYERS}")
  endif()
  math(EXPR first "${last} + 1")
  list(SUBLIST TROUPE_LAYERS ${first} -1 above)
  list(REMOVE_ITEM TROUPE_BUILT_LAYERS ${above})
endif()

set(TROUPE_BUILT_COMPONENTS core)
set(TROUPE_WITH_ACTORS OFF)
set(TROUPE_WITH_NETWORK OFF)
if("actors/transport" IN_LIST TROUPE_BUILT_LAYERS)
  set(TROUPE_WITH_ACTORS ON)
  list(APPEND TROUPE_BUILT_COMPONENTS actors)
endif()
if("actors/network" IN_LIST TROUPE_BUILT_LAYERS)
  set(TROUPE_WITH_NETWORK ON)
  list(APPEND TROUPE_BUILT_COMPONENTS network)
endif()

# troupe_add_layers(roof layer...)
#
# Adds the folder troupe/<name> of each layer of this roof that is built. In
# tests/, the folder of the layer.
function(troupe_add_layers roof)
  foreach(layer IN LISTS ARGN)
    if(NOT layer IN_LIST TROUPE_BUILT_LAYERS)
      continue()
    endif()
    if(roof STREQUAL "tests")
      add_subdirectory(${layer})
    else()
      string(REPLACE "${roof}/" "troupe/" folder ${layer})
      add_subdirectory(${folder})
    endif()
  endforeach()
endfunction()

# troupe_add_library(name LINK target...)
#
# A static library troupe_<name>, installed as troupe::<name>. The layers'
# folders add the sources and headers to it; troupe_finish_library comes after
# them.
#
# Where tests are built there is a second one, with crash points, which is not
# installed: see troupe_finish_library. In this tree troupe::<name> is the one
# that tests link; examples and benchmarks link troupe_<name>.
function(troupe_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINK")
  set(target troupe_${name})
  add_library(${target} STATIC)
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${name}
    POSITION_INDEPENDENT_CODE ON
    CXX_EXTENSIONS OFF
    VERIFY_INTERFACE_HEADER_SETS ${TROUPE_BUILD_TESTS})
  if(TROUPE_BUILD_TESTS)
    set(variant ${target}_with_crash_points)
    add_library(${variant} STATIC)
    add_library(troupe::${name} ALIAS ${variant})
    set_target_properties(${variant} PROPERTIES
      POSITION_INDEPENDENT_CODE ON
      CXX_EXTENSIONS OFF)
    target_compile_features(${variant} PUBLIC cxx_std_20)
    target_include_directories(${variant} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
    # Part of the interface, so that a header and the library never disagree.
    target_compile_definitions(${variant} PUBLIC TROUPE_CRASH_POINTS=1)
    list(TRANSFORM arg_LINK REPLACE "^(troupe_.*)$" "\\1_with_crash_points"
      OUTPUT_VARIABLE link)
    target_link_libraries(${variant} PUBLIC ${link} PRIVATE troupe_warnings)
  else()
    add_library(troupe::${name} ALIAS ${target})
  endif()
  # A library needs a source; until its layers have one, this is it.
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/empty.cpp CONTENT "")
  target_sources(${target} PRIVATE ${PROJECT_BINARY_DIR}/empty.cpp)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_sources(${target} PUBLIC FILE_SET HEADERS
    BASE_DIRS ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${target} PUBLIC ${arg_LINK}
    PRIVATE $<BUILD_INTERFACE:troupe_warnings>)
endfunction()

# troupe_has_crash_point(file result)
#
# Whether a source or header names a crash point, or includes one that does.
function(troupe_has_crash_point file result)
  get_property(known GLOBAL PROPERTY TROUPE_CRASH_POINT_IN_${file} SET)
  if(NOT known)
    # Set before the look at what it includes, which may include it again.
    set_property(GLOBAL PROPERTY TROUPE_CRASH_POINT_IN_${file} OFF)
    set(found OFF)
    file(STRINGS ${file} lines REGEX "^ *TROUPE_CRASH_POINT\\(\"|^#include <troupe/")
    foreach(line IN LISTS lines)
      if(NOT line MATCHES "^#include <(troupe/.*)>")
        set(found ON)
        break()
      endif()
      foreach(top framework actors)
        set(header ${PROJECT_SOURCE_DIR}/${top}/${CMAKE_MATCH_1})
        if(EXISTS ${header})
          troupe_has_crash_point(${header} found)
          break()
        endif()
      endforeach()
      if(found)
        break()
      endif()
    endforeach()
    set_property(GLOBAL PROPERTY TROUPE_CRASH_POINT_IN_${file} ${found})
  endif()
  get_property(answer GLOBAL PROPERTY TROUPE_CRASH_POINT_IN_${file})
  set(${result} ${answer} PARENT_SCOPE)
endfunction()

# troupe_finish_library(name)
#
# Fills the variant of troupe_<name> that tests link: sources with a crash point
# are compiled once more, with it; all others are the same objects.
function(troupe_finish_library name)
  if(NOT TROUPE_BUILD_TESTS)
    return()
  endif()
  set(target troupe_${name})
  get_target_property(sources ${target} SOURCES)
  set(twice "")
  set(once "")
  foreach(source IN LISTS sources)
    troupe_has_crash_point(${source} has)
    if(has)
      list(APPEND twice ${source})
    else()
      list(APPEND once ${source})
    endif()
  endforeach()
  # A point that is added to one of these later does not compile until CMake
  # has looked again.
  set_property(SOURCE ${once} DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
    APPEND PROPERTY COMPILE_DEFINITIONS TROUPE_WITHOUT_CRASH_POINTS)
  set(objects $<TARGET_OBJECTS:${target}>)
  if(twice)
    list(TRANSFORM twice REPLACE "^${CMAKE_CURRENT_SOURCE_DIR}/" ""
      OUTPUT_VARIABLE names)
    list(TRANSFORM names REPLACE "\\." "[.]")
    list(JOIN names "|" names)
    set(objects "$<FILTER:${objects},EXCLUDE,/(${names})[.]o>")
  endif()
  target_sources(${target}_with_crash_points PRIVATE ${twice} ${objects})
endfunction()
