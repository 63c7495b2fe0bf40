# SPDX-License-Identifier: BSL-1.0
#
# Fails if SOURCE has more than MOST lines to compile beyond those of the standard
# headers BESIDE, which it cannot do without. That is independent of the standard
# library.
#
#   cmake -D COMPILER=... -D INCLUDE=... -D SOURCE=... -D BESIDE=... -D MOST=... -P ...
function(count_lines text result)
  execute_process(
    COMMAND sh -c "printf '%s\\n' \"$1\" | \"$2\" -std=c++20 -DBOOST_ALL_NO_LIB -I\"$3\" -E -P -x c++ -"
      sh "${text}" "${COMPILER}" "${INCLUDE}"
    OUTPUT_VARIABLE output RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "${COMPILER} cannot preprocess\n${text}")
  endif()
  string(REGEX REPLACE "[^\n]" "" ends "${output}")
  string(LENGTH "${ends}" lines)
  set(${result} ${lines} PARENT_SCOPE)
endfunction()

string(REPLACE " " ";" headers "${BESIDE}")
list(TRANSFORM headers REPLACE "(.+)" "#include <\\1>")
list(JOIN headers "\n" beside)
count_lines("${beside}" allowed)
count_lines("#include <${SOURCE}>" lines)
math(EXPR own "${lines} - ${allowed}")
message(STATUS "${SOURCE}: ${lines} lines, ${own} of them beyond ${BESIDE}")
if(own GREATER MOST)
  message(FATAL_ERROR "${SOURCE} has ${own} lines more to compile than the standard "
    "headers that it is allowed; at most ${MOST}. See what it includes that it could "
    "do without: ${COMPILER} -H")
endif()
