# Finds CAF: what CMake finds by itself or in TROUPE_CAF_PREFIX, then what
# tools/setup has built into the user's cache, then, where asked for, by
# fetching it. 0.18.7 and 1.x are accepted; an older one is passed over. Its
# core is needed by troupe::actors and above; nothing else of it is.

set(TROUPE_CAF_PREFIX "$ENV{TROUPE_CAF_PREFIX}" CACHE PATH
  "Where CAF is installed, if CMake does not find it by itself")

# gcc-12.2.0 or clang-19.1.7, as tools/setup names it.
function(troupe_caf_cache result)
  if(DEFINED ENV{XDG_CACHE_HOME} AND NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
    set(cache $ENV{XDG_CACHE_HOME}/troupe)
  else()
    set(cache $ENV{HOME}/.cache/troupe)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set(compilers gcc-${CMAKE_CXX_COMPILER_VERSION})
  else()
    # The same standard library, so g++'s build of CAF serves clang too.
    set(compilers clang-${CMAKE_CXX_COMPILER_VERSION} gcc-*)
  endif()
  set(found "")
  foreach(compiler IN LISTS compilers)
    if(TROUPE_SANITIZE STREQUAL "thread")
      file(GLOB prefixes ${cache}/caf-*-${compiler}-tsan)
    else()
      file(GLOB prefixes ${cache}/caf-*-${compiler})
      list(FILTER prefixes EXCLUDE REGEX "-tsan$")
    endif()
    list(SORT prefixes COMPARE NATURAL ORDER DESCENDING) # the newest first
    list(APPEND found ${prefixes})
  endforeach()
  set(${result} "${found}" PARENT_SCOPE)
endfunction()

# Sets `result` to the folder of the first CAFConfig.cmake that serves. Asking
# for an impossible version lists every candidate and loads none, so that a
# refused one leaves no targets behind.
function(troupe_choose_caf result)
  troupe_caf_cache(cached)
  if(TROUPE_CAF_PREFIX)
    # What is asked for by name comes before what an earlier run has found.
    unset(CAF_DIR CACHE)
  endif()
  find_package(CAF 99 CONFIG QUIET HINTS ${TROUPE_CAF_PREFIX} PATHS ${cached})
  set(chosen "")
  foreach(config version IN ZIP_LISTS CAF_CONSIDERED_CONFIGS CAF_CONSIDERED_VERSIONS)
    get_filename_component(folder ${config} DIRECTORY)
    file(STRINGS ${folder}/CAFTargets.cmake parts REGEX "add_library\\(CAF::core ")
    if(version VERSION_LESS 0.18.7)
      message(STATUS "Passing over CAF ${version} in ${folder}: "
        "0.18.7 is the oldest that serves")
    elseif(NOT parts)
      message(STATUS "Passing over CAF ${version} in ${folder}: "
        "it lacks CAF::core")
    else()
      set(chosen ${folder})
      break()
    endif()
  endforeach()
  # Debian's package has no CMake files at all.
  find_path(TROUPE_PACKAGED_CAF caf/config.hpp)
  mark_as_advanced(TROUPE_PACKAGED_CAF)
  if(NOT chosen AND TROUPE_PACKAGED_CAF)
    file(STRINGS ${TROUPE_PACKAGED_CAF}/caf/config.hpp line
      REGEX "#define +CAF_VERSION +[0-9]+")
    string(REGEX MATCH "[0-9]+$" number "${line}")
    if(number LESS 1807)
      message(STATUS "Passing over the CAF in ${TROUPE_PACKAGED_CAF}: it is "
        "number ${number}, and 1807 (0.18.7) is the oldest that serves")
    endif()
  endif()
  set(${result} "${chosen}" PARENT_SCOPE)
endfunction()

# Built here, from the commit that was released.
macro(troupe_fetch_caf)
  include(FetchContent)
  # First, since CAF would otherwise switch shared libraries on for everyone.
  if(NOT DEFINED BUILD_SHARED_LIBS)
    set(BUILD_SHARED_LIBS OFF)
  endif()
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  foreach(part EXAMPLES TESTING TOOLS NET_MODULE IO_MODULE OPENSSL_MODULE)
    set(CAF_ENABLE_${part} OFF CACHE BOOL "" FORCE)
  endforeach()
  FetchContent_Declare(CAF
    GIT_REPOSITORY https://github.com/actor-framework/actor-framework.git
    GIT_TAG 97e03500422f0ac48e35fee510d570e16b43a65e # 1.1.0
    SYSTEM
    OVERRIDE_FIND_PACKAGE)
  message(STATUS "Building CAF 1.1.0 from its release")
  FetchContent_MakeAvailable(CAF)
endmacro()

if(TROUPE_WITH_ACTORS AND NOT TARGET CAF::core)
  # A CAF with its openssl names OpenSSL's targets and does not look for them.
  find_package(OpenSSL QUIET)
  if(TROUPE_FETCH_CAF)
    troupe_fetch_caf()
  else()
    troupe_choose_caf(folder)
    if(NOT folder)
      message(FATAL_ERROR
        "No usable CAF is installed; 0.18.7 and 1.x serve. One of these helps:\n"
        "  tools/setup                   builds 0.18.7, on Debian, once\n"
        "  -DTROUPE_CAF_PREFIX=<folder>  where yours is installed\n"
        "  -DTROUPE_FETCH_CAF=ON         fetches and builds 1.1.0 here\n"
        "  -DTROUPE_COMPONENTS=core      builds all but actors and the network, "
        "without CAF")
    endif()
    set(CAF_DIR ${folder} CACHE PATH "Folder of CAFConfig.cmake" FORCE)
    find_package(CAF CONFIG REQUIRED)
    message(STATUS "CAF ${CAF_VERSION} in ${CAF_DIR}")
  endif()
endif()
