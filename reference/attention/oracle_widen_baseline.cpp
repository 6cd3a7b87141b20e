// Conversions for any machine.

#include "reference/attention/oracle_widen.hpp"

namespace lvsa::reference {
namespace {

constexpr int kLanes = 2;

#include "reference/attention/oracle_widen_inl.hpp"

}  // namespace

const OracleWiden kOracleBaselineWiden = {widen_bf16, widen_f16};

}  // namespace lvsa::reference
