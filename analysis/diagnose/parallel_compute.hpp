#pragma once
// The computation of one world at a size that a CPU can do: the same frames, heads and remainders,
// fewer tokens a frame.

#include <cstdint>
#include <optional>

#include "analysis/diagnose/parallel_check.hpp"
#include "analysis/diagnose/parallel_layout.hpp"

namespace lvsa::analysis {

struct ParallelComputation {
  ParallelShape shape;  ///< what was computed
  ParallelVerdict exact;
  std::optional<ParallelVerdict> unmasked;  ///< where padding is due: the same, its keys not masked
  std::optional<CustomVerdict> custom;      ///< where U * R divides T * P
};

struct ComputeOptions {
  PatternSpec pattern;  ///< of the layout's frames
  reference::MergeForm merge = reference::MergeForm::kRobust;
  bool merges_in_fp32 = false;
  std::uint64_t seed = 1;
  std::int64_t rows = 128;  ///< query tokens to compare, beside the ends of the chunks; 0: all
};

/// Frames as they are, P' = (P - 1) mod (U * R) + 1 tokens each, which leaves every remainder as it
/// is, at most 16 text tokens, head size 4. Throws Error(kValue) when the frames are not known,
/// when heads do not divide and are not padded, and for more than it can hold.
ParallelComputation compute_parallel(const ParallelLayout& layout, const ComputeOptions& options);

}  // namespace lvsa::analysis
