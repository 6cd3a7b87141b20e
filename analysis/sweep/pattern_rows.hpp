#pragma once
// The metrics of patterns that choose single keys, from their definition: the scores of sampled
// rows once, then for each pattern the softmax over the keys that a row attends. The same bits on
// any number of threads, on any set of instructions and whichever patterns are beside a pattern; a
// pattern that attends all has the dense output bit for bit.

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/sweep/metrics.hpp"
#include "analysis/sweep/sample.hpp"
#include "core/blocks/head_pattern.hpp"
#include "reference/attention/simd_level.hpp"

namespace lvsa::analysis {

struct PatternRowsOptions {
  int threads = 0;  ///< 0: as many as OpenMP has
  /// Scores and weights in memory at a time; at least eight rows.
  std::int64_t bytes = std::int64_t{256} << 20;
  reference::SimdLevel level = reference::best_simd_level();
};

/// Metrics of each pattern over these query tokens (docs/sweep_metrics.md), cells being the latent
/// frames and the text. Memory: 8 S D bytes for v beside options.bytes. Throws what
/// compute_partials() throws, and Error(kValue) for patterns of another length and for no rows.
std::vector<MetricValues> evaluate_head_patterns(const Sample& sample,
                                                 std::span<const HeadPattern* const> patterns,
                                                 std::span<const std::int64_t> tokens,
                                                 const PatternRowsOptions& options = {});

}  // namespace lvsa::analysis
