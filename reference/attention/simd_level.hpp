#pragma once
// Sets of instructions that inner loops are compiled for, and whether this machine has them.

namespace lvsa::reference {

/// kAvx2 comes with FMA and F16C, kAvx512 stands for F, BW, DQ and VL. What a level means for the
/// bits of a result is said where it is used.
enum class SimdLevel { kBaseline, kAvx2, kAvx512 };

/// Whether this build has loops of that level and this machine can run them.
bool machine_has(SimdLevel level);

/// The best level that machine_has().
SimdLevel best_simd_level();

}  // namespace lvsa::reference
