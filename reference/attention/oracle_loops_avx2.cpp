// The oracle's inner loops for AVX2, without FMA.

#include "reference/attention/oracle_loops.hpp"

#if LVSA_SIMD_X86

namespace lvsa::reference {
namespace {

constexpr int kLanes = 4;
constexpr int kRows = 2;

#include "reference/attention/oracle_loops_inl.hpp"

}  // namespace

const OracleLoops kOracleAvx2Loops = {score,          soften,       add_values,
                                      add_deviations, add_absolute, exp_array};

}  // namespace lvsa::reference

#endif
