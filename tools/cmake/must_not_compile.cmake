# Called by the tests of troupe_add_must_not_compile.

set(flags -std=c++20 -fsyntax-only -fno-diagnostics-color)
# The compiler's own folder, named again, would hide the C headers.
list(REMOVE_ITEM INCLUDES /usr/include)
# The compiler's own folders, named again, would lose their order.
if(IMPLICIT)
  list(REMOVE_ITEM INCLUDES ${IMPLICIT})
endif()
foreach(folder IN LISTS INCLUDES)
  list(APPEND flags -isystem ${folder})
endforeach()
foreach(definition IN LISTS DEFINITIONS)
  list(APPEND flags -D${definition})
endforeach()

function(compile result output)
  execute_process(COMMAND ${COMPILER} ${flags} ${ARGN} ${SOURCE}
    RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
  set(${result} ${code} PARENT_SCOPE)
  set(${output} "${text}" PARENT_SCOPE)
endfunction()

compile(code text -DTROUPE_CONTROL)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "The control, which should compile, does not:\n${text}")
endif()

compile(code text)
if(code EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles, and should not.")
endif()
if(NOT text MATCHES "${ERROR}")
  message(FATAL_ERROR "No diagnostic matches '${ERROR}':\n${text}")
endif()
string(REGEX MATCH "[^\n]*error: ([^\n]*)" line "${text}")
string(LENGTH "${CMAKE_MATCH_1}" length)
if(length GREATER 250)
  message(FATAL_ERROR "The first error is ${length} characters long:\n${line}")
endif()
message("${line}")
