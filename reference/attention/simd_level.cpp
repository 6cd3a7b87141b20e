#include "reference/attention/simd_level.hpp"

#ifndef LVSA_SIMD_X86
#define LVSA_SIMD_X86 0
#endif
#if LVSA_SIMD_X86
#include <cpuid.h>
#endif

namespace lvsa::reference {
namespace {

#if LVSA_SIMD_X86
// Not every compiler's __builtin_cpu_supports knows this one.
bool has_f16c() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}

bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

}  // namespace

bool machine_has(SimdLevel level) {
#if LVSA_SIMD_X86
  // Asked for once: cpuid takes microseconds in a virtual machine.
  static const bool avx2 = has_avx2();
  static const bool avx512 = has_avx512();
  if (level == SimdLevel::kAvx2) return avx2;
  if (level == SimdLevel::kAvx512) return avx512;
#endif
  return level == SimdLevel::kBaseline;
}

SimdLevel best_simd_level() {
  if (machine_has(SimdLevel::kAvx512)) return SimdLevel::kAvx512;
  return machine_has(SimdLevel::kAvx2) ? SimdLevel::kAvx2 : SimdLevel::kBaseline;
}

}  // namespace lvsa::reference
