# Run at build time by the target lvsa_version: cmake -DSOURCE_DIR= -DOUTPUT= ... -P write_version.cmake

set(COMMIT "unknown")
find_program(GIT git)
if(GIT)
  # The commit of this tree, not that of a repository that happens to lie around it.
  execute_process(COMMAND "${GIT}" rev-parse --show-toplevel WORKING_DIRECTORY "${SOURCE_DIR}"
    OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  file(REAL_PATH "${SOURCE_DIR}" source_path)
  if(top STREQUAL source_path)
    execute_process(COMMAND "${GIT}" rev-parse --short=12 HEAD WORKING_DIRECTORY "${SOURCE_DIR}"
      OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
    if(status EQUAL 0)
      set(COMMIT "${head}")
      # Results made from changed files must not carry the name of a commit that does not hold them.
      execute_process(COMMAND "${GIT}" --no-optional-locks status --porcelain --untracked-files=no
        WORKING_DIRECTORY "${SOURCE_DIR}"
        OUTPUT_VARIABLE changes OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
      if(changes)
        string(APPEND COMMIT "-dirty")
      endif()
    endif()
  endif()
endif()

string(REPLACE "\\" "\\\\" FLAGS "${FLAGS}")
string(REPLACE "\"" "\\\"" FLAGS "${FLAGS}")
# configure_file leaves the file alone when its content stays the same.
configure_file("${CMAKE_CURRENT_LIST_DIR}/version.hpp.in" "${OUTPUT}" @ONLY)
