#pragma once
// Errors of the accumulators that attention kernels sum in, by architecture and element type.
//
// The roundoff u_a: each addend that enters a sum, in an FMA or in a matrix instruction that adds
// several products, costs an error of at most u_a times the sum of the magnitudes that have entered
// it, its own included.

#include <optional>
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

/// The largest roundoff that the architecture has for factors of a type, or nothing when the table
/// does not hold it.
std::optional<double> accumulator_roundoff(std::string_view architecture, DType type);

/// What is assumed where nothing is known: fp32 that truncates (2^-23), and 13 bits behind the
/// point for fp8, as tensor cores have.
double unknown_accumulator_roundoff(DType type);

}  // namespace lvsa::analysis
