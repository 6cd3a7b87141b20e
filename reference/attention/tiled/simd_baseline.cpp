// The inner loops for any machine: GCC's vectors of four floats, products and sums apart where the
// architecture has no fused operation.

#include "reference/attention/tiled/tile_ops.hpp"

namespace lvsa::reference {
namespace {

constexpr int kLanes = 4;
constexpr int kDimBlock = 4;
typedef float Vec __attribute__((vector_size(16), may_alias));
typedef int32_t Int __attribute__((vector_size(16), may_alias));

inline Vec splat(float x) { return Vec{x, x, x, x}; }
inline Vec fma(Vec a, Vec b, Vec c) { return a * b + c; }
inline Vec max(Vec a, Vec b) { return a > b ? a : b; }

// Two steps, since 2^n alone may be too small for a float: the first is exact, the second rounds
// once where the result is subnormal.
inline Vec scale_by_power_of_two(Vec p, Vec, Int n) {
  const Int half = n >> 1;
  const Vec first = reinterpret_cast<Vec>((half + 127) << 23);
  const Vec second = reinterpret_cast<Vec>((n - half + 127) << 23);
  return (p * first) * second;
}

inline Int widen(const void* source) {
  uint16_t bits[kLanes];
  __builtin_memcpy(bits, source, sizeof(bits));
  return Int{bits[0], bits[1], bits[2], bits[3]};
}

inline Vec from_bf16(const void* source) { return reinterpret_cast<Vec>(widen(source) << 16); }

// The bits of a positive fp16, moved up, are the value times 2^-112 as a float, subnormals
// included; infinity and NaN need their own exponent.
inline Vec from_fp16(const void* source) {
  const Int bits = widen(source);
  const Int magnitude = (bits & 0x7fff) << 13;
  const Int finite = reinterpret_cast<Int>(reinterpret_cast<Vec>(magnitude) * 0x1p112F);
  const Int value = magnitude >= 0x0f800000 ? (magnitude | 0x7f800000) : finite;
  return reinterpret_cast<Vec>(value | ((bits & 0x8000) << 16));
}

#include "reference/attention/tiled/tile_loops_inl.hpp"

}  // namespace

const TileOps kBaselineOps = {
    "cpu-baseline", "tiled attention on the host, no special instructions",
    kLanes,         kDimBlock,
    1.625,          load_row,
    pack_values,    attend_tile,
    make_scores,    finish_tile,
    exp2_array};

}  // namespace lvsa::reference
