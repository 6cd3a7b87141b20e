#include "analysis/verify/accumulators.hpp"

#include <algorithm>
#include <array>

namespace lvsa::analysis {
namespace {

constexpr const char* kNearest = "IEEE 754: products exact, one rounding to nearest";
constexpr const char* kAssumed = "assumed as on sm_90";
constexpr const char* kMeasured =
    "measured: 23 bits behind the point of the largest addend, the rest cut off";
constexpr const char* kMeasuredNear = "measured: 26 bits are kept, the sum is rounded to nearest";
constexpr const char* kMeasuredFp8 =
    "measured: 13 bits behind the point of the largest addend, the accumulator's own included";

constexpr std::array kTable = {
    AccumulatorError{"sm_80", "mma.sync", LVSA_BF16, 0x1p-23, false, kAssumed},
    AccumulatorError{"sm_80", "mma.sync", LVSA_F16, 0x1p-23, false, kAssumed},
    AccumulatorError{"sm_90", "mma.sync", LVSA_BF16, 0x1p-23, true, kMeasured},
    AccumulatorError{"sm_90", "mma.sync", LVSA_F16, 0x1p-23, true, kMeasured},
    AccumulatorError{"sm_90", "mma.sync", LVSA_E4M3, 0x1p-24, true, kMeasuredNear},
    AccumulatorError{"sm_90", "wgmma", LVSA_BF16, 0x1p-23, true, kMeasured},
    AccumulatorError{"sm_90", "wgmma", LVSA_E4M3, 0x1p-13, true, kMeasuredFp8},
    AccumulatorError{"sm_90", "wgmma", LVSA_E5M2, 0x1p-13, false, "assumed as for e4m3"},
    AccumulatorError{"sm_90", "wgmma", LVSA_F16, 0x1p-23, true, kMeasured},
    AccumulatorError{"x86-64", "fma", LVSA_BF16, 0x1p-24, true, kNearest},
    AccumulatorError{"x86-64", "fma", LVSA_F16, 0x1p-24, true, kNearest},
    AccumulatorError{"x86-64", "fma", LVSA_F32, 0x1p-24, true, kNearest},
};

}  // namespace

std::span<const AccumulatorError> accumulator_errors() { return kTable; }

double unknown_accumulator_roundoff(DType type) {
  double worst = 0x1p-23;  // fp32 that cuts off
  for (const AccumulatorError& entry : kTable) {
    if (entry.type == type) worst = std::max(worst, entry.roundoff);
  }
  return worst;
}

}  // namespace lvsa::analysis
