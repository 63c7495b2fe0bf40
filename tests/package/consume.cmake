# Installs what a way needs, configures, builds and runs the consumer in an empty
# folder. The ways:
#
#   installed      everything that is installed, moved elsewhere, is used
#   subdirectory   Troupe is a folder of the consumer's tree
#   core           only core is installed, and no CAF and no OpenSSL is found
#   actors         core and actors are installed, with a CAF of core alone
#   network        the same with the network
#   hidden         the CAF with which Troupe was built is out of sight
#   messages       what is missing is said, and what helps
#   pkg_config     without CMake

# Runs a command; `output` has what it writes, should it succeed.
set(before "")
function(step)
  execute_process(COMMAND ${before} ${ARGN} RESULT_VARIABLE code
    OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${ARGN}\nfailed with ${code}:\n${text}")
  endif()
  set(output "${text}" PARENT_SCOPE)
endfunction()

# Installs components into FOLDER/built, and moves them to FOLDER/prefix: what
# is installed must not know where it was.
function(install_moved)
  foreach(component IN LISTS ARGN)
    step(${CMAKE_COMMAND} --install ${BUILT} --prefix ${FOLDER}/built
      --component ${component})
  endforeach()
  file(RENAME ${FOLDER}/built ${FOLDER}/prefix)
  file(GLOB_RECURSE texts ${FOLDER}/prefix/*.cmake ${FOLDER}/prefix/*.pc)
  if(NOT texts)
    message(FATAL_ERROR "Nothing is installed that find_package reads")
  endif()
  get_filename_component(caf_folder ${CAF} DIRECTORY)
  foreach(text IN LISTS texts)
    foreach(folder ${FOLDER} ${BUILT} ${TROUPE} ${caf_folder})
      file(READ ${text} content)
      string(FIND "${content}" "${folder}" at)
      if(NOT at EQUAL -1)
        message(FATAL_ERROR "${text} names ${folder}")
      endif()
    endforeach()
  endforeach()
endfunction()

# A CAF of the same version that has its core alone.
function(make_core_of_caf prefix)
  file(MAKE_DIRECTORY ${prefix}/lib/cmake/CAF)
  file(COPY ${CAF} DESTINATION ${prefix}/lib)
  foreach(include IN LISTS CAF_INCLUDES)
    file(COPY ${include}/caf DESTINATION ${prefix}/include
      PATTERN io EXCLUDE PATTERN openssl EXCLUDE)
  endforeach()
  get_filename_component(name ${CAF} NAME)
  file(CONFIGURE OUTPUT ${prefix}/lib/cmake/CAF/CAFConfig.cmake @ONLY CONTENT [[
find_package(Threads REQUIRED)
add_library(CAF::core UNKNOWN IMPORTED)
set_target_properties(CAF::core PROPERTIES
  IMPORTED_LOCATION ${CMAKE_CURRENT_LIST_DIR}/../../@name@
  INTERFACE_INCLUDE_DIRECTORIES ${CMAKE_CURRENT_LIST_DIR}/../../../include
  INTERFACE_LINK_LIBRARIES Threads::Threads)
]])
  file(CONFIGURE OUTPUT ${prefix}/lib/cmake/CAF/CAFConfigVersion.cmake @ONLY
    CONTENT [[
set(PACKAGE_VERSION @CAF_VERSION@)
set(PACKAGE_VERSION_COMPATIBLE TRUE)
if(PACKAGE_FIND_VERSION STREQUAL PACKAGE_VERSION)
  set(PACKAGE_VERSION_EXACT TRUE)
endif()
]])
endfunction()

# The whole CAF once more, elsewhere.
function(copy_caf prefix)
  get_filename_component(folder ${CAF} DIRECTORY)
  file(GLOB libraries ${folder}/libcaf_*)
  file(COPY ${libraries} DESTINATION ${prefix}/lib)
  file(COPY ${CAF_DIR} DESTINATION ${prefix}/lib/cmake)
  foreach(include IN LISTS CAF_INCLUDES)
    file(COPY ${include}/caf DESTINATION ${prefix}/include)
  endforeach()
endfunction()

# Sets `result` to what runs a command where the builder's CAF is empty folders,
# which nobody else sees; to nothing where this user may not do that.
function(hide_caf result)
  file(WRITE ${FOLDER}/hide.sh [[
count=$1
shift
while test $count -gt 0; do
  mount -t tmpfs none "$1" || exit 1
  shift
  count=$((count - 1))
done
exec "$@"
]])
  set(folders ${CAF_DIR})
  foreach(include IN LISTS CAF_INCLUDES)
    list(APPEND folders ${include}/caf)
  endforeach()
  list(LENGTH folders count)
  find_program(unshare unshare)
  # Root of a container may be the one and not the other.
  foreach(options "--mount" "--mount;--map-root-user")
    set(hide ${unshare} ${options} sh ${FOLDER}/hide.sh ${count} ${folders})
    execute_process(COMMAND ${hide} test ! -e ${CAF_DIR}/CAFConfig.cmake
      RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
    if(unshare AND code EQUAL 0)
      set(${result} ${hide} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  set(${result} "" PARENT_SCOPE)
endfunction()

# Configures and builds the consumer, and runs its programs, which must be these.
function(build_and_run)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "PROGRAMS;WITH")
  step(${CMAKE_COMMAND} -S ${CONSUMER} -B ${FOLDER}/build -G ${GENERATOR}
    -D CMAKE_CXX_COMPILER=${COMPILER} ${arg_WITH})
  set(configured "${output}")
  step(${CMAKE_COMMAND} --build ${FOLDER}/build)
  foreach(name IN LISTS arg_PROGRAMS)
    run_program(${FOLDER}/build/${name})
  endforeach()
  set(output "${configured}" PARENT_SCOPE)
endfunction()

function(run_program program)
  step(${program})
  # What every process of a run passes by, and only a test may be killed at.
  foreach(point process.server.before_fork process.host.claimed
      process.host.before_function mailbox.put.committed)
    step(${CMAKE_COMMAND} -E env TROUPE_CRASH_POINT=${point} ${program})
  endforeach()
endfunction()

# Tests kill processes at crash points; nobody else can.
function(check_no_crash_points)
  file(GLOB_RECURSE sources ${TROUPE}/framework/*.?pp ${TROUPE}/actors/*.?pp)
  set(points "")
  foreach(source IN LISTS sources)
    file(STRINGS ${source} lines REGEX "^ *TROUPE_CRASH_POINT\\(\"")
    foreach(line IN LISTS lines)
      string(REGEX MATCH "\"([^\"]+)\"" name ${line})
      list(APPEND points ${CMAKE_MATCH_1})
    endforeach()
  endforeach()
  if(NOT points)
    message(FATAL_ERROR "No source names a crash point any more: mend this test")
  endif()
  file(GLOB_RECURSE libraries ${FOLDER}/prefix/*.a ${FOLDER}/prefix/*.so*)
  if(NOT libraries)
    message(FATAL_ERROR "No library is installed")
  endif()
  string(REPLACE "." "[.]" names "${points};crash_point;CRASH_POINT")
  list(REMOVE_DUPLICATES names)
  list(JOIN names "|" names)
  foreach(library IN LISTS libraries)
    file(STRINGS ${library} found REGEX "${names}")
    if(found)
      message(FATAL_ERROR "${library} has crash points: ${found}")
    endif()
  endforeach()
endfunction()

function(check_all_headers)
  foreach(top framework actors)
    file(GLOB_RECURSE headers RELATIVE ${TROUPE}/${top} ${TROUPE}/${top}/*.hpp)
    foreach(header IN LISTS headers)
      if(NOT EXISTS ${FOLDER}/prefix/include/${header})
        message(FATAL_ERROR "${top}/${header} is not installed: name it in the "
          "CMakeLists.txt beside it")
      endif()
    endforeach()
  endforeach()
endfunction()

# What the consumer's CMake says where `with` is its command line.
function(configure_fails result)
  file(REMOVE_RECURSE ${FOLDER}/build)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${CONSUMER} -B ${FOLDER}/build
    -G ${GENERATOR} -D CMAKE_CXX_COMPILER=${COMPILER} ${ARGN}
    RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(code EQUAL 0)
    message(FATAL_ERROR "find_package should have failed:\n${text}")
  endif()
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

function(require_said text)
  string(REGEX REPLACE "[ \n]+" " " text "${text}")
  foreach(part IN LISTS ARGN)
    string(FIND "${text}" "${part}" at)
    if(at EQUAL -1)
      message(FATAL_ERROR "'${part}' is not said in:\n${text}")
    endif()
  endforeach()
endfunction()

file(REMOVE_RECURSE ${FOLDER})
file(MAKE_DIRECTORY ${FOLDER})
set(prefix -D CMAKE_PREFIX_PATH=${FOLDER}/prefix)
set(no_caf -D CMAKE_DISABLE_FIND_PACKAGE_CAF=ON)
set(no_openssl -D CMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON)
get_filename_component(caf_folder ${CAF} DIRECTORY)
get_filename_component(caf_prefix ${caf_folder} DIRECTORY)

if(WAY STREQUAL "installed")
  install_moved(core actors network)
  check_all_headers()
  check_no_crash_points()
  set(flags "")
  if(FLAGS)
    set(flags -D CMAKE_CXX_FLAGS=-fsanitize=${FLAGS})
  endif()
  build_and_run(PROGRAMS use_core use_actors use_network
    WITH ${prefix} -D CAF_ROOT=${caf_prefix} ${flags} -D COMPONENTS=core,actors,network)
elseif(WAY STREQUAL "subdirectory")
  build_and_run(PROGRAMS use_base
    WITH -D TROUPE_SOURCE=${TROUPE} ${no_caf} ${no_openssl})
elseif(WAY STREQUAL "core")
  install_moved(core)
  build_and_run(PROGRAMS use_core
    WITH ${prefix} ${no_caf} ${no_openssl} -D COMPONENTS=core)
elseif(WAY STREQUAL "actors")
  install_moved(core actors)
  make_core_of_caf(${FOLDER}/caf)
  build_and_run(PROGRAMS use_core use_actors
    WITH ${prefix} -D CAF_ROOT=${FOLDER}/caf ${no_openssl}
      -D COMPONENTS=core,actors)
elseif(WAY STREQUAL "network")
  install_moved(core actors network)
  make_core_of_caf(${FOLDER}/caf)
  build_and_run(PROGRAMS use_core use_actors use_network
    WITH ${prefix} -D CAF_ROOT=${FOLDER}/caf -D COMPONENTS=core,actors,network)
elseif(WAY STREQUAL "hidden")
  hide_caf(hide)
  if(NOT hide)
    message("skipped: a mount namespace needs rights that this user has not")
    return()
  endif()
  install_moved(core actors network)
  copy_caf(${FOLDER}/caf)
  set(before "${hide}")
  build_and_run(PROGRAMS use_core use_actors use_network
    WITH ${prefix} -D CAF_ROOT=${FOLDER}/caf -D COMPONENTS=core,actors,network)
  # And with none at all.
  list(APPEND before ${CMAKE_COMMAND} -E env XDG_CACHE_HOME=${FOLDER}/cache)
  file(REMOVE_RECURSE ${FOLDER}/build)
  build_and_run(PROGRAMS use_core
    WITH ${prefix} -D COMPONENTS=core -D WITHOUT_COMPONENTS=ON
      -D ABSENT=actors,network)
  require_said("${output}" "left out: troupe::actors needs CAF ${CAF_VERSION}")
elseif(WAY STREQUAL "messages")
  install_moved(core actors network)
  make_core_of_caf(${FOLDER}/caf)
  configure_fails(text ${prefix} ${no_caf} -D COMPONENTS=actors)
  require_said("${text}" "troupe::actors needs CAF ${CAF_VERSION}" -DCAF_ROOT=
    tools/setup "COMPONENTS core")
  configure_fails(text ${prefix} ${no_openssl} -D CAF_ROOT=${FOLDER}/caf
    -D COMPONENTS=network)
  require_said("${text}" "troupe::network needs OpenSSL 3" libssl-dev)
  configure_fails(text ${prefix} -D COMPONENTS=orchestra)
  require_said("${text}" "no component orchestra")
  configure_fails(text ${prefix} -D CMAKE_DISABLE_FIND_PACKAGE_Boost=ON
    -D COMPONENTS=core)
  require_said("${text}" "troupe::core needs Boost's headers" libboost-dev)
  file(GLOB_RECURSE targets ${FOLDER}/prefix/*actors-targets*.cmake)
  file(REMOVE ${targets})
  configure_fails(text ${prefix} -D COMPONENTS=actors)
  require_said("${text}" "troupe::actors is not installed")
elseif(WAY STREQUAL "pkg_config")
  find_program(pkg_config NAMES pkg-config pkgconf)
  if(NOT pkg_config)
    message("skipped: there is no pkg-config here")
    return()
  endif()
  install_moved(core actors network)
  file(GLOB_RECURSE file ${FOLDER}/prefix/troupe-core.pc)
  get_filename_component(folder ${file} DIRECTORY)
  foreach(component core actors network)
    step(${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${folder} ${pkg_config}
      --define-variable=caf_prefix=${caf_prefix} --cflags --libs
      troupe-${component})
    string(STRIP "${output}" line)
    separate_arguments(flags UNIX_COMMAND "${line}")
    step(${COMPILER} -std=c++20 ${CONSUMER}/use_${component}.cpp
      -o ${FOLDER}/use_${component} ${flags})
    run_program(${FOLDER}/use_${component})
  endforeach()
else()
  message(FATAL_ERROR "There is no way ${WAY}")
endif()
