#pragma once
// How a problem is cut into independent pieces of work, and what memory a thread needs for one.

#include <cstdint>

#include "core/kernel/lvsa_kernel.h"
#include "reference/attention/tiled/tile_ops.hpp"

namespace lvsa::reference {

/// One piece of work: some query rows that share all their keys. The rows of a segment (a frame, or
/// the text) are those of all query heads of one group, head by head.
struct WorkItem {
  std::int64_t batch;
  std::int64_t kv_head;
  std::int64_t first_token;  ///< of the segment
  std::int64_t segment_tokens;
  std::int64_t first_row;  ///< of segment_tokens * group rows
  std::int64_t row_count;
  bool attends_all;  ///< every token; else frames[0 .. frame_count) and the text
  const std::int32_t* frames;
  std::int64_t frame_count;
};

/// Buffers of one thread, all floats, each aligned for the widest vector.
struct ThreadBuffers {
  float* queries;
  float* outputs;
  float* keys;
  float* values;
  float* scores;
  float* maxima;
  float* sums;
  float* row;       ///< one row of head_dim floats
  float* gathered;  ///< one row of input elements whose stride is not 1
};

class AttentionPlan {
 public:
  /// `problem` is valid and outlives the plan.
  AttentionPlan(const lvsa_problem& problem, const TileOps& ops);

  std::int64_t items() const { return text_items_ + video_items_; }
  /// Items with the most keys, those of the text, come first.
  WorkItem item(std::int64_t index) const;

  /// The part of an item that holds all its wanted rows, cut where panels begin and end, so that
  /// the rows left come out the same; no rows when none is wanted.
  WorkItem wanted_part(WorkItem item) const;

  /// Threads that run() uses; more than there are items would only cost memory.
  int threads() const { return threads_; }
  std::int64_t thread_bytes() const { return thread_floats_ * std::int64_t{sizeof(float)}; }
  /// Room for the buffers of `threads` threads at any address.
  std::size_t workspace_bytes(int threads) const;
  ThreadBuffers buffers(void* workspace, int thread) const;

  const lvsa_problem& problem() const { return problem_; }
  const TileOps& ops() const { return ops_; }
  std::int64_t group() const { return problem_.heads / problem_.kv_heads; }
  std::int64_t tokens() const;
  std::int64_t panel_rows() const { return std::int64_t{kMaxRowVectors} * ops_.lanes; }
  std::int64_t padded_dim() const { return padded_dim_; }
  std::int64_t key_stride() const { return key_stride_; }

 private:
  const lvsa_problem& problem_;
  const TileOps& ops_;
  std::int64_t padded_dim_;  ///< head_dim up to a multiple of dim_block
  std::int64_t key_stride_;
  std::int64_t block_panels_;  ///< panels an item, at most
  std::int64_t text_blocks_;   ///< items of one group's text rows
  std::int64_t video_blocks_;  ///< items of one group's rows of one frame
  std::int64_t text_items_;
  std::int64_t video_items_;
  std::int64_t thread_floats_;
  int threads_;
};

}  // namespace lvsa::reference
