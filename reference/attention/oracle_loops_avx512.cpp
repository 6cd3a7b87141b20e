// The oracle's inner loops for AVX-512 (F, DQ), without FMA.

#include "reference/attention/oracle_loops.hpp"

#if LVSA_SIMD_X86

namespace lvsa::reference {
namespace {

constexpr int kLanes = 8;
constexpr int kRows = 4;

#include "reference/attention/oracle_loops_inl.hpp"

}  // namespace

const OracleLoops kOracleAvx512Loops = {score,          soften,       add_values,
                                        add_deviations, add_absolute, exp_array};

}  // namespace lvsa::reference

#endif
