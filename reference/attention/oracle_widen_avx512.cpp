// Conversions for AVX-512.

#include "reference/attention/oracle_widen.hpp"

#if LVSA_SIMD_X86

namespace lvsa::reference {
namespace {

constexpr int kLanes = 8;

#include "reference/attention/oracle_widen_inl.hpp"

}  // namespace

const OracleWiden kOracleAvx512Widen = {widen_bf16, widen_f16};

}  // namespace lvsa::reference

#endif
