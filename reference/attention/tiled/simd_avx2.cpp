// The inner loops for AVX2 with FMA and F16C. Same bits as AVX-512: a row never leaves its lane, so
// the length of a vector does not show.

#include "reference/attention/tiled/tile_ops.hpp"

#if LVSA_SIMD_X86

#include <immintrin.h>

namespace lvsa::reference {
namespace {

constexpr int kLanes = 8;
constexpr int kDimBlock = 4;  // 4 x 3 sums, 3 rows, 1 broadcast element: all 16 registers
typedef float Vec __attribute__((vector_size(32), may_alias));
typedef int32_t Int __attribute__((vector_size(32), may_alias));

inline Vec splat(float x) { return _mm256_set1_ps(x); }
inline Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
inline Vec max(Vec a, Vec b) { return _mm256_max_ps(a, b); }

// Two steps, since 2^n alone may be too small for a float: the first is exact, the second rounds
// once where the result is subnormal.
inline Vec scale_by_power_of_two(Vec p, Vec, Int n) {
  const Int half = n >> 1;
  const Vec first = reinterpret_cast<Vec>((half + 127) << 23);
  const Vec second = reinterpret_cast<Vec>((n - half + 127) << 23);
  return (p * first) * second;
}

inline Vec from_bf16(const void* source) {
  const __m128i bits = _mm_loadu_si128(static_cast<const __m128i*>(source));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}
inline Vec from_fp16(const void* source) {
  return _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(source)));
}

#include "reference/attention/tiled/tile_loops_inl.hpp"

}  // namespace

const TileOps kAvx2Ops = {"cpu-avx2",  "tiled attention on the host, AVX2 with FMA",
                          kLanes,      kDimBlock,
                          1.25,        load_row,
                          pack_values, attend_tile,
                          make_scores, finish_tile,
                          exp2_array};

}  // namespace lvsa::reference

#endif
