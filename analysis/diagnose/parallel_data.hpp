#pragma once
// Tensors of a parallel check and what one rank makes of them, by the oracle: made once, compared
// with many ways to share the work.

#include <cstdint>
#include <string>
#include <vector>

#include "core/geometry/frame_grid.hpp"
#include "core/pattern/frame_pattern.hpp"
#include "reference/parallel/head_tensor.hpp"
#include "reference/parallel/sequence_world.hpp"

namespace lvsa::analysis {

struct ParallelShape {
  FrameGrid grid;
  reference::HeadCounts heads;
  std::int64_t head_dim = 4;
  PatternSpec pattern;     ///< of grid.frames frames; interval 1 is dense
  std::uint64_t seed = 1;  ///< of the values: bell-shaped, standard deviation 1
  std::int64_t rows = 0;   ///< query tokens to compare, spread over the sequence; 0: all
  std::int64_t world = 1;  ///< with `rows`: first and last tokens of its chunks are among them
};

struct ParallelData {
  ParallelShape shape;
  FramePattern pattern;
  std::vector<std::vector<std::int32_t>> lists;  ///< [T], the pattern's rows
  reference::HeadTensor q;                       ///< [S, H, D]
  reference::HeadTensor k;                       ///< [S, Hkv, D]
  reference::HeadTensor v;
  double scale = 1.0;
  std::vector<std::uint8_t> wanted;  ///< [S] tokens that are compared
  reference::HeadTensor out;         ///< [S, H, D] of one rank, wanted rows only
  reference::HeadTensor lse;         ///< [S, H, 1]
};

/// Throws Error(kValue, kOverflow) for sizes that are out of range or need more than 2 GiB.
ParallelData make_parallel_data(const ParallelShape& shape);

/// The oracle's rows for lists of their own: fills `out` and `lse` for tokens begin .. end - 1 that
/// are wanted.
void attend_single_rank(const ParallelData& data,
                        const std::vector<std::vector<std::int32_t>>& lists, std::int64_t begin,
                        std::int64_t end, reference::HeadTensor& out, reference::HeadTensor& lse);

}  // namespace lvsa::analysis
