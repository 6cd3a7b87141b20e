// The inner loops for AVX-512 (F, BW, DQ, VL).

#include "reference/attention/tiled/tile_ops.hpp"

#if LVSA_SIMD_X86

#include <immintrin.h>

// gcc 12 takes its own _mm512_undefined_ps(), behind many of these intrinsics, for a mistake.
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

namespace lvsa::reference {
namespace {

constexpr int kLanes = 16;
constexpr int kDimBlock = 8;  // 8 x 3 sums, 3 rows, 1 broadcast element: 28 of 32 registers
typedef float Vec __attribute__((vector_size(64), may_alias));
typedef int32_t Int __attribute__((vector_size(64), may_alias));

inline Vec splat(float x) { return _mm512_set1_ps(x); }
inline Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
inline Vec max(Vec a, Vec b) { return _mm512_max_ps(a, b); }
inline Vec scale_by_power_of_two(Vec p, Vec n, Int) { return _mm512_scalef_ps(p, n); }

inline Vec from_bf16(const void* source) {
  const __m256i bits = _mm256_loadu_si256(static_cast<const __m256i*>(source));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}
inline Vec from_fp16(const void* source) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(source)));
}

#include "reference/attention/tiled/tile_loops_inl.hpp"

}  // namespace

const TileOps kAvx512Ops = {"cpu-avx512", "tiled attention on the host, AVX-512",
                            kLanes,       kDimBlock,
                            1.25,         load_row,
                            pack_values,  attend_tile,
                            make_scores,  finish_tile,
                            exp2_array};

}  // namespace lvsa::reference

#endif
