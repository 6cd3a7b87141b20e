// The loops of frame partials for AVX-512, without FMA.

#include "analysis/sweep/partials_loops.hpp"

#if LVSA_SIMD_X86
namespace lvsa::analysis {
namespace {

constexpr int kLanes = 8;
constexpr int kRows = 8;

#include "analysis/sweep/partials_loops_inl.hpp"

}  // namespace

const PartialsLoops kPartialsAvx512Loops = {multiply, soften,    combine,   compare,
                                            scale,    exp_array, log_array, gather};

}  // namespace lvsa::analysis

#endif
