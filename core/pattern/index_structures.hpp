#pragma once
// The index structures that the published plugin derives from a pattern for one rank of a world:
// any of them can drive a kernel. Source: published LVSA behaviour, LVSAMetadata.build.
//
// Three traps are part of the published form and kept. The attended table is not clipped to the
// rank while the window context is. And block row r stands for the r-th frame that the rank touches
// but covers the tokens r*P .. of the rank, so on a rank whose first token is not the first of a
// frame a row holds tokens of two frames. A local copy of a frame that the rank holds in part
// begins at a negative token or ends behind the last one; boundary guards keep such frames global.

#include <cstdint>
#include <vector>

#include "core/pattern/frame_pattern.hpp"

namespace lvsa {

/// Half-open range of tokens, counted from the first token of the rank.
struct TokenRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  bool operator==(const TokenRange&) const = default;
};

/// A frame that the rank touches, and its tokens there.
struct LocalFrame {
  std::int32_t frame = 0;
  TokenRange tokens;
  bool operator==(const LocalFrame&) const = default;
};

/// P tokens to copy: from a source buffer at `source` into the compact keys at `target`.
struct BlockCopy {
  std::int64_t source = 0;
  std::int64_t target = 0;
  bool operator==(const BlockCopy&) const = default;
};

/// Block rows in compressed form over blocks of P x P tokens. Columns are numbered over the frames
/// that any row attends, in the order of the frames; `*_copies` fill the compact keys with them.
struct BlockRows {
  std::vector<std::int32_t> indptr;      ///< [rows + 1]
  std::vector<std::int32_t> indices;     ///< ascending within a row
  std::int64_t rows = 0;                 ///< MB = ceil(local_seq / P)
  std::int64_t compact_frames = 0;       ///< columns
  std::int64_t query_tokens = 0;         ///< M = MB * P
  std::int64_t key_tokens = 0;           ///< N = columns * P
  std::vector<BlockCopy> global_copies;  ///< from the buffer of global frames, in their order
  std::vector<BlockCopy> local_copies;   ///< from the rank's own tokens
};

struct RankIndex {
  std::int64_t local_seq = 0;           ///< tokens of the rank: T * P / world
  std::int64_t global_token_start = 0;  ///< its first token: rank * local_seq
  std::vector<LocalFrame> local_frames;
  /// Window context of local frame i: the ranges window_tokens[window_offsets[i] ..
  /// window_offsets[i + 1]) of the window frames that are not global, on this rank only.
  std::vector<std::int64_t> window_offsets;
  std::vector<TokenRange> window_tokens;
  /// [local frames, attended_width], rows padded by repeating their last entry.
  std::vector<std::int32_t> attended;
  std::int64_t attended_width = 0;
  BlockRows blocks;
};

/// Throws Error(kValue) unless patches >= 1, world >= 1, 0 <= rank < world and world divides T * P.
RankIndex build_rank_index(const FramePattern& pattern, std::int64_t patches_per_frame,
                           std::int64_t rank, std::int64_t world);

}  // namespace lvsa
