#pragma once
// What the online skip of a pattern leaves, replayed on some of its query blocks.

#include "analysis/sweep/sample.hpp"
#include "core/blocks/head_pattern.hpp"

namespace lvsa::analysis {

/// Over the rows of the replayed blocks.
struct SkipFigures {
  double left = 1.0;  ///< share of the attended pairs that are not skipped
  double mass = 0.0;  ///< share of the attended keys' softmax mass that is skipped, mean over rows
};

/// Whether there is a skip rule that is not off (threshold 50 and above).
bool skips_blocks(const HeadPattern& pattern);

/// Replays the rule of SkipRule in fp64 on the middle blocks of four equal stretches of the query
/// blocks (all of them where there are fewer), every row. The same bits on any number of threads.
SkipFigures measure_skip(const Sample& sample, const HeadPattern& pattern, int threads = 0);

}  // namespace lvsa::analysis
