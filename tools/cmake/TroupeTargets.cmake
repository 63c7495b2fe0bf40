# How tests, examples and benchmarks are made: one function each.

# troupe_add_test(NAME name SOURCES file...
#   [LIBS target...]      default troupe::core
#   [LABELS label...]     default unit
#   [TIMEOUT seconds]     default 60
#   [ARGS argument...]
#   [SERIAL]              run with nothing beside it
#   [LOOKED_AT])          somebody looks at its runs meanwhile: look_while.cpp
#
# A doctest program with the shared main of tests/support, run by ctest. Tests
# of troupe::actors and above get CAF and doctest precompiled.
function(troupe_add_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "SERIAL;LOOKED_AT" "NAME;TIMEOUT" "SOURCES;LIBS;LABELS;ARGS")
  troupe_check_arguments(troupe_add_test)
  troupe_default(arg_LIBS troupe::core)
  troupe_default(arg_LABELS unit)
  troupe_default(arg_TIMEOUT 60)
  set(target test_${arg_NAME})
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE
    ${arg_LIBS} troupe_test_support troupe_warnings)
  troupe_reuse_precompiled(${target} "${arg_LIBS}")
  if(arg_LOOKED_AT)
    add_test(NAME ${arg_NAME}
      COMMAND look_while $<TARGET_FILE:${target}> ${arg_ARGS})
    add_dependencies(${target} look_while)
  else()
    add_test(NAME ${arg_NAME} COMMAND ${target} ${arg_ARGS})
  endif()
  list(TRANSFORM arg_SOURCES PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  list(JOIN arg_SOURCES "|" sources)
  set_property(GLOBAL APPEND_STRING PROPERTY TROUPE_TESTS
    "${arg_NAME}|${sources}\n")
  troupe_multiply_timeout(${arg_TIMEOUT} timeout)
  set_tests_properties(${arg_NAME} PROPERTIES
    LABELS "${arg_LABELS}" TIMEOUT ${timeout} RUN_SERIAL ${arg_SERIAL})
endfunction()

# troupe_add_test_run(NAME name OF test ARGS argument... [LABELS label...]
#   [TIMEOUT seconds])
#
# Runs the program of a test once more, with other arguments. `--spawn` has its
# processes executed anew.
function(troupe_add_test_run)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;OF;TIMEOUT" "ARGS;LABELS")
  troupe_check_arguments(troupe_add_test_run)
  troupe_default(arg_LABELS unit)
  troupe_default(arg_TIMEOUT 60)
  add_test(NAME ${arg_NAME} COMMAND test_${arg_OF} ${arg_ARGS})
  troupe_multiply_timeout(${arg_TIMEOUT} timeout)
  set_tests_properties(${arg_NAME} PROPERTIES
    LABELS "${arg_LABELS}" TIMEOUT ${timeout})
endfunction()

# troupe_add_example(NAME name SOURCES file...
#   [LIBS target...]      default troupe::core
#   [EXPECTED file.txt]   what it prints; see tests/support/expected_output.hpp
#   [ARGS argument...]
#   [TIMEOUT seconds]     default 60
#   [TITLE text]          what tools/demo prints above it; default the name
#   [CONCEPT sentence])   and below that: which concept became what
#
# A program, and a test that runs it, where its libraries are built. Pages may
# show its regions and output. Like what is installed, it has no crash points.
function(troupe_add_example)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;EXPECTED;TIMEOUT;TITLE;CONCEPT" "SOURCES;LIBS;ARGS")
  troupe_check_arguments(troupe_add_example)
  troupe_default(arg_LIBS troupe::core)
  troupe_default(arg_TIMEOUT 60)
  troupe_default(arg_TITLE ${arg_NAME})
  list(TRANSFORM arg_LIBS REPLACE "^troupe::" "troupe_")
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR
    BASE_DIRECTORY ${PROJECT_SOURCE_DIR}/examples OUTPUT_VARIABLE group)
  list(GET arg_SOURCES 0 source)
  list(JOIN arg_ARGS "|" arguments)
  set(needs core)
  foreach(component actors network)
    if(troupe_${component} IN_LIST arg_LIBS)
      set(needs ${component})
    endif()
  endforeach()
  troupe_is_built("${arg_LIBS}" built)
  set(program "")
  if(built)
    set(program "$<TARGET_FILE:${arg_NAME}>")
  endif()
  set_property(GLOBAL APPEND_STRING PROPERTY TROUPE_PROGRAMS
    "${group}|${arg_NAME}|${needs}|${program}|${arg_TITLE}|${arg_CONCEPT}|${source}|${arguments}\n")
  if(NOT built)
    return()
  endif()
  add_executable(${arg_NAME} ${arg_SOURCES})
  target_link_libraries(${arg_NAME} PRIVATE ${arg_LIBS} troupe_warnings)
  set_property(GLOBAL APPEND PROPERTY TROUPE_EXAMPLES_OF_${group} ${arg_NAME})
  if(NOT TROUPE_BUILD_TESTS)
    return()
  endif()
  if(arg_EXPECTED)
    cmake_path(ABSOLUTE_PATH arg_EXPECTED)
    add_test(NAME example.${arg_NAME} COMMAND compare_output ${arg_EXPECTED}
      $<TARGET_FILE:${arg_NAME}> ${arg_ARGS})
  else()
    add_test(NAME example.${arg_NAME} COMMAND ${arg_NAME} ${arg_ARGS})
  endif()
  troupe_multiply_timeout(${arg_TIMEOUT} timeout)
  set_tests_properties(example.${arg_NAME} PROPERTIES
    LABELS example TIMEOUT ${timeout})
endfunction()

# troupe_add_must_not_compile(NAME name SOURCE file.cpp ERROR regex
#   [CASE case]           compiled with CASE_case defined, in upper case
#   [LIBS target...])     default troupe::core
#
# A test that passes when the compiler refuses the file with one error, which is
# Troupe's, matches, and is short enough to be read; and says no more than 40
# lines. What stands under `#ifdef TROUPE_CONTROL` is compiled in a second run,
# which must succeed, so that a case cannot pass for a reason of its own. A file
# with cases has a test NAME.control for that. Not under a sanitizer, which changes
# nothing of that.
function(troupe_add_must_not_compile)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;SOURCE;ERROR;CASE" "LIBS")
  troupe_check_arguments(troupe_add_must_not_compile)
  troupe_default(arg_LIBS troupe::core)
  cmake_path(ABSOLUTE_PATH arg_SOURCE)
  set_property(GLOBAL APPEND_STRING PROPERTY TROUPE_TESTS
    "must_not_compile.${arg_NAME}|${arg_SOURCE}\n")
  if(TROUPE_SANITIZE)
    return()
  endif()
  # Never built: it only gathers the flags of the libraries.
  set(target must_not_compile_${arg_NAME})
  add_library(${target} OBJECT EXCLUDE_FROM_ALL ${arg_SOURCE})
  target_link_libraries(${target} PRIVATE ${arg_LIBS})
  add_test(NAME must_not_compile.${arg_NAME} COMMAND ${CMAKE_COMMAND}
    -D COMPILER=${CMAKE_CXX_COMPILER}
    -D "SOURCE=${arg_SOURCE}"
    -D "ERROR=${arg_ERROR}"
    -D "CASE=${arg_CASE}"
    -D "INCLUDES=$<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>"
    -D "IMPLICIT=${CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES}"
    -D "DEFINITIONS=$<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS>"
    -P ${PROJECT_SOURCE_DIR}/tools/cmake/must_not_compile.cmake)
  set_tests_properties(must_not_compile.${arg_NAME} PROPERTIES
    LABELS must-not-compile TIMEOUT 120)
endfunction()

# troupe_add_must_not_compile_cases(NAME name SOURCE file.cpp
#   CASES "case|what the compiler says"... [LIBS target...])
#
# The test NAME.case for each case of a file, and NAME.control.
function(troupe_add_must_not_compile_cases)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;SOURCE" "CASES;LIBS")
  troupe_check_arguments(troupe_add_must_not_compile_cases)
  troupe_default(arg_LIBS troupe::core)
  foreach(case IN ITEMS "control|none" LISTS arg_CASES)
    string(REGEX MATCH "^([^|]+)\\|(.+)$" _ "${case}")
    troupe_add_must_not_compile(NAME ${arg_NAME}.${CMAKE_MATCH_1}
      SOURCE ${arg_SOURCE} CASE ${CMAKE_MATCH_1} ERROR "${CMAKE_MATCH_2}"
      LIBS ${arg_LIBS})
  endforeach()
endfunction()

# troupe_add_bench(NAME name SOURCES file... [LIBS target...])
#
# A program that measures, where its libraries are built; tools/bench runs it.
# Where tests are built it is a smoke test as well, called with --smoke. Like
# what is installed, it has no crash points.
function(troupe_add_bench)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;LIBS")
  troupe_check_arguments(troupe_add_bench)
  troupe_default(arg_LIBS troupe::core)
  list(TRANSFORM arg_LIBS REPLACE "^troupe::" "troupe_")
  troupe_is_built("${arg_LIBS}" built)
  if(NOT built)
    return()
  endif()
  add_executable(bench_${arg_NAME} ${arg_SOURCES})
  set_target_properties(bench_${arg_NAME} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
  target_link_libraries(bench_${arg_NAME} PRIVATE ${arg_LIBS} troupe_warnings)
  if(TROUPE_BUILD_TESTS)
    add_test(NAME bench.${arg_NAME} COMMAND bench_${arg_NAME} --smoke)
    troupe_multiply_timeout(60 timeout)
    set_tests_properties(bench.${arg_NAME} PROPERTIES
      LABELS bench TIMEOUT ${timeout})
  endif()
endfunction()

# Whether all of these libraries are built; TROUPE_COMPONENTS may say not.
function(troupe_is_built libs result)
  set(${result} ON PARENT_SCOPE)
  foreach(lib IN LISTS libs)
    if(lib MATCHES "^troupe_" AND NOT TARGET ${lib})
      set(${result} OFF PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

macro(troupe_check_arguments function)
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${function}(${arg_NAME}): ${arg_UNPARSED_ARGUMENTS}?")
  endif()
endmacro()

macro(troupe_default variable)
  if(NOT ${variable})
    set(${variable} ${ARGN})
  endif()
endmacro()

# Sanitized programs are five to fifteen times slower. What tools/test says of the
# machine in TROUPE_TEST_PATIENCE multiplies as well.
function(troupe_multiply_timeout seconds result)
  if(DEFINED ENV{TROUPE_TEST_PATIENCE})
    math(EXPR seconds "${seconds} * $ENV{TROUPE_TEST_PATIENCE}")
  endif()
  if(TROUPE_SANITIZE)
    math(EXPR seconds "${seconds} * 5")
  endif()
  set(${result} ${seconds} PARENT_SCOPE)
endfunction()

# CAF's headers cost seconds per file; the precompiled ones, a tenth.
function(troupe_reuse_precompiled target libs)
  if(TARGET troupe_precompiled AND libs MATCHES "troupe::(actors|network)")
    target_precompile_headers(${target} REUSE_FROM troupe_precompiled)
    target_compile_options(${target} PRIVATE -Winvalid-pch)
  endif()
endfunction()
