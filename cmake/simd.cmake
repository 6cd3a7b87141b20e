# Several versions of one function in one executable.
#
# Everything is built for the baseline of the architecture, so that an executable runs on other
# machines than the one it was built on. Files named *_avx2.cpp and *_avx512.cpp are the exception:
# they are compiled for those instructions and may be entered only after a look at the processor.
# Such a file must not leave behind inline functions that others share: the linker keeps one copy of
# each, possibly the one with the wrong instructions. The test SimdObjects.* holds that.

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
  set(LVSA_SIMD_X86 1)
else()
  set(LVSA_SIMD_X86 0)
endif()

set(LVSA_AVX2_FLAGS -mavx2 -mfma -mf16c -O3 -ffp-contract=fast)
set(LVSA_AVX512_FLAGS
  -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mf16c -O3
  -mprefer-vector-width=512 -ffp-contract=fast)
# For files named oracle_*, shadow_* and partials_*: the same bits on every machine, so no product may join a sum in one FMA.
set(LVSA_EXACT_AVX2_FLAGS -mavx2 -O3 -ffp-contract=off)
set(LVSA_EXACT_AVX512_FLAGS
  -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -O3 -mprefer-vector-width=512 -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc's own header leaves registers undefined on purpose and warns of it (GCC bug 105593).
  set(LVSA_AVX512_NO_WARNINGS -Wno-uninitialized -Wno-maybe-uninitialized)
endif()

# Drops the versions that this architecture lacks from the list of sources named LIST_VAR and sets
# the flags of the others. Call it in the folder that makes the target: source properties hold there.
function(lvsa_simd_sources list_var)
  set(sources ${${list_var}})
  if(NOT LVSA_SIMD_X86)
    list(FILTER sources EXCLUDE REGEX "_(avx2|avx512)\\.cpp$")
  endif()
  foreach(source IN LISTS sources)
    if(source MATCHES "/(oracle|shadow|partials)_[^/]*_avx2\\.cpp$")
      set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_OPTIONS ${LVSA_EXACT_AVX2_FLAGS})
    elseif(source MATCHES "/(oracle|shadow|partials)_[^/]*_avx512\\.cpp$")
      set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_OPTIONS
        ${LVSA_EXACT_AVX512_FLAGS} ${LVSA_AVX512_NO_WARNINGS})
    elseif(source MATCHES "_avx2\\.cpp$")
      set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_OPTIONS ${LVSA_AVX2_FLAGS})
    elseif(source MATCHES "_avx512\\.cpp$")
      set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_OPTIONS
        ${LVSA_AVX512_FLAGS} ${LVSA_AVX512_NO_WARNINGS})
    elseif(source MATCHES "/sweep/[^/]*\\.cpp$")
      # Nor there: figures of a sweep have the same bits everywhere.
      set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_OPTIONS -ffp-contract=off)
    elseif(source MATCHES "/simd_[^/]*\\.cpp$")
      # The version for any machine of the architecture: speed counts there too.
      set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_OPTIONS -O3 -ffp-contract=fast)
    endif()
  endforeach()
  set(${list_var} "${sources}" PARENT_SCOPE)
endfunction()
