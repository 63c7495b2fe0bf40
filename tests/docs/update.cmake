# A page with a wrong block and one with a wrong output are updated; the check
# accepts the first, and the second prints a process id, new in every run.
foreach(page wrong_block wrong_output)
  file(REMOVE_RECURSE ${FOLDER})
  file(COPY ${PLANTED}/${page}/ DESTINATION ${FOLDER})
  execute_process(COMMAND ${CHECK} --update ${FOLDER} ${PROGRAMS}
    COMMAND_ERROR_IS_FATAL ANY)
  file(READ ${FOLDER}/README.md text)
  if(NOT text MATCHES "hello ")
    message(FATAL_ERROR "${page} was not updated:\n${text}")
  endif()
  if(page STREQUAL "wrong_block")
    execute_process(COMMAND ${CHECK} ${FOLDER} ${PROGRAMS}
      COMMAND_ERROR_IS_FATAL ANY)
  endif()
endforeach()
