// The shadow's inner loops for AVX-512, without FMA.

#include "reference/attention/shadow_loops.hpp"

#if LVSA_SIMD_X86

namespace lvsa::reference {
namespace {

constexpr int kLanes = 8;

#include "reference/attention/shadow_loops_inl.hpp"

}  // namespace

const ShadowLoops kShadowAvx512Loops = {score, add_values};

}  // namespace lvsa::reference

#endif
