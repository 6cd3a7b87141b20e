#pragma once
// How Sparse-VideoGen tells spatial heads from temporal ones: errors of sampled rows.

#include <cstdint>
#include <vector>

#include "core/blocks/pattern_rule.hpp"

namespace lvsa::sparse {

/// The two masks that the samples are judged by; coarser than the patterns that come of it.
struct SampledMasks {
  FrameGrid grid;
  std::int64_t unit = 128;  ///< tokens of the masks' blocks
  std::int64_t blocks = 0;  ///< |bi - bj| < blocks
  bool sink = false;        ///< all attend the first frame
  /// Whether the temporal mask has its sink at the first P places instead of at frame 0.
  bool sink_before_reorder = true;

  bool spatial(std::int64_t query, std::int64_t key) const;
  bool temporal(std::int64_t query, std::int64_t key) const;
};

/// Mean squared differences from the result of all keys, each rounded to fp32.
struct SampledErrors {
  float spatial = 0.0F;
  float temporal = 0.0F;
};

/// `count` tokens of the video, drawn with replacement: token i is the high half of the product of
/// splitmix64's i-th number of `seed` and the number of video tokens.
std::vector<std::int64_t> sampled_rows(const FrameGrid& grid, std::int64_t count,
                                       std::uint64_t seed);

/// Results are softmax(q k^T / sqrt(D)) v in fp64, rounded to fp32; without v the probabilities
/// themselves, which is what is expected of the error for values that are independent. A row
/// without keys has the result 0.
SampledErrors sampled_errors(const PatternInput& input, const SampledMasks& masks,
                             const std::vector<std::int64_t>& rows);

}  // namespace lvsa::sparse
