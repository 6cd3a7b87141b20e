#pragma once
// Context parallelism of the standalone processor, mode `custom`: a rank gathers the global frames
// and keeps window frames only where it holds them; boundary guards make up for some of what is
// lost at the seams. The result differs from that of one rank. Source: published LVSA behaviour,
// LVSAMetadata.build and the modes of 1.3.

#include <cstdint>
#include <optional>
#include <vector>

#include "core/geometry/frame_grid.hpp"
#include "reference/parallel/head_tensor.hpp"
#include "reference/parallel/parallel_defects.hpp"

namespace lvsa::reference {

/// Tensors as in ShardedProblem; the pattern in latent frames.
struct CustomProblem {
  HeadTensor q;
  HeadTensor k;
  HeadTensor v;
  FrameGrid grid;
  double scale = 1.0;
  std::int64_t window_frames = 0;
  std::int64_t n_first_frames = 0;
  std::optional<std::int64_t> interval;
  std::int64_t offset = 0;
  bool expand_window = true;
  std::vector<std::int64_t> condition_frames;  ///< always global
  std::int64_t world = 1;
  std::vector<std::uint8_t> wanted;  ///< [S] query tokens to compute; empty: all
  ParallelDefect defect = ParallelDefect::kNone;
};

struct CustomResult {
  HeadTensor out;  ///< [S, H, D]; rows that are not wanted hold NaN
  HeadTensor lse;  ///< [S, H, 1]
};

/// Throws Error(kValue) for shapes that do not fit and where the world does not divide T * P.
CustomResult attend_custom(const CustomProblem& problem);

}  // namespace lvsa::reference
