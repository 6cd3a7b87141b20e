// The oracle's inner loops for any machine: GCC's vectors of two doubles.

#include "reference/attention/oracle_loops.hpp"

namespace lvsa::reference {
namespace {

constexpr int kLanes = 2;
constexpr int kRows = 2;

#include "reference/attention/oracle_loops_inl.hpp"

}  // namespace

const OracleLoops kOracleBaselineLoops = {score,          soften,       add_values,
                                          add_deviations, add_absolute, exp_array};

}  // namespace lvsa::reference
