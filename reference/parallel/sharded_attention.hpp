#pragma once
// LVSA attention computed as U x R ranks do it: chunks of the sequence, all-to-all among Ulysses
// ranks, K/V passed on around the ring, results merged by log-sum-exp. In fp64, so that what
// differs from one rank by more than rounding is a defect. Source: published sequence parallelism
// of vLLM-Omni, LVSA 1.3's modes `ulysses` and `ring`.

#include <cstdint>
#include <vector>

#include "core/geometry/frame_grid.hpp"
#include "reference/parallel/head_tensor.hpp"
#include "reference/parallel/parallel_defects.hpp"
#include "reference/parallel/ring_merge.hpp"
#include "reference/parallel/sequence_world.hpp"

namespace lvsa::reference {

/// q [S, H, D]; k, v [S, Hkv, D]: the video tokens, then the text ones. Text stands on every rank
/// and its keys count in the first ring step. Each rank begins with its own block of keys.
struct ShardedProblem {
  HeadTensor q;
  HeadTensor k;
  HeadTensor v;
  FrameGrid grid;
  double scale = 1.0;
  std::vector<std::vector<std::int32_t>> attended;  ///< [T], frames that a frame attends
  SequenceWorld world;
  /// Heads that U does not divide are padded (zeros) instead of refused.
  bool pads_heads = false;
  MergeForm merge = MergeForm::kRobust;
  bool merges_in_fp32 = false;       ///< as published; else in fp64
  std::vector<std::uint8_t> wanted;  ///< [S] query tokens to compute; empty: all
  ParallelDefect defect = ParallelDefect::kNone;
};

struct ShardedResult {
  HeadTensor out;  ///< [S, H, D]; rows that are not wanted hold NaN
  HeadTensor lse;  ///< [S, H, 1]
  /// Text rows, which every ring rank computes: the largest difference between two of them.
  double text_disagreement = 0.0;
  /// Video rows whose first ring block held no key.
  std::int64_t empty_first_blocks = 0;
  std::int64_t padding_tokens = 0;  ///< zero tokens behind the video; masked
};

/// Video tokens that the world does not divide: with U = 1 the last chunks are shorter; else the
/// video is padded with masked zeros to a multiple of the world. Throws Error(kValue) for shapes
/// that do not fit and, unless pads_heads, for heads that U does not divide. The same bits on any
/// number of threads.
ShardedResult attend_sharded(const ShardedProblem& problem);

}  // namespace lvsa::reference
