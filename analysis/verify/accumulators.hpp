#pragma once
// Errors of the accumulators that attention kernels sum in, by architecture and element type.
//
// The roundoff u_a: each addend that enters a sum, in an FMA or in a matrix instruction that adds
// several products, costs an error of at most u_a times the sum of the magnitudes that have entered
// it, its own included.

#include <span>
#include <string_view>

#include "core/tensor/tensor.hpp"

namespace lvsa::analysis {

struct AccumulatorError {
  std::string_view architecture;  ///< "x86-64", "sm_80", "sm_90", ...
  std::string_view instruction;   ///< "fma", "mma.sync", "wgmma"
  DType type;                     ///< of the factors
  double roundoff;                ///< u_a
  bool measured;                  ///< else an assumption on the safe side
  std::string_view how;           ///< one line
};

/// The table, sorted by architecture.
std::span<const AccumulatorError> accumulator_errors();

/// What is assumed of a kernel that declares nothing: the largest roundoff that the table has for
/// factors of the type, on whatever device, and at the least that of fp32 that cuts off (2^-23).
double unknown_accumulator_roundoff(DType type);

}  // namespace lvsa::analysis
