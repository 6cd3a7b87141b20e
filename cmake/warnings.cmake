# One place for the warnings of the project's own code; never handed on to those who link it.

add_library(lvsa_warnings INTERFACE)

set(lvsa_warning_flags
  -Wall -Wextra -Wpedantic
  -Wshadow
  -Wconversion
  -Wnon-virtual-dtor
  -Woverloaded-virtual
  -Wcast-align
  -Wundef
  -Wvla)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND lvsa_warning_flags -Wduplicated-cond -Wlogical-op)
  # gcc 12 and 13 report overreads inside std::vector and std::string once they are inlined at
  # -O3 (GCC bugs 105329, 107852 and others); the warning names no line of ours.
  list(APPEND lvsa_warning_flags -Wno-stringop-overflow -Wno-stringop-overread
    -Wno-array-bounds -Wno-restrict)
endif()
if(LVSA_WARNINGS_AS_ERRORS)
  list(APPEND lvsa_warning_flags -Werror)
endif()

target_compile_options(lvsa_warnings INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${lvsa_warning_flags}>")
