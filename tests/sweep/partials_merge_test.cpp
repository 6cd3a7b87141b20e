// Merged frame partials against attention from its definition.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <numeric>

#include "analysis/sweep/pattern_metrics.hpp"
#include "tests/sweep/partials_support.hpp"

namespace lvsa::analysis {
namespace {

using testing::attend_naively;
using testing::make_sample;
using testing::NaiveRow;
using testing::SampleWish;

SampleWish some_wish() {
  SampleWish wish;
  wish.frames = *rc::gen::inRange(1, 8);
  wish.patches = *rc::gen::inRange(1, 20);
  wish.text = *rc::gen::weightedElement<std::int64_t>({{2, 0}, {1, 1}, {1, 17}});
  wish.dim = *rc::gen::inRange(1, 35);
  wish.seed = *rc::gen::inRange(0, 1000000);
  // Scores up to some 4 * 4 * 35 / 4 = 140 times the loudness.
  wish.loudness = *rc::gen::element(0.0, 0.0625, 1.0, 4.0, 64.0, 1024.0);
  return wish;
}

/// A set of cells, the text always among them.
std::vector<std::int32_t> some_cells(const FrameGrid& grid) {
  std::vector<std::int32_t> cells;
  for (std::int32_t f = 0; f < grid.frames; ++f) {
    if (*rc::gen::inRange(0, 3) > 0) cells.push_back(f);
  }
  if (grid.text_tokens > 0) cells.push_back(static_cast<std::int32_t>(grid.frames));
  if (cells.empty()) cells.push_back(0);
  return cells;
}

// Relative to the largest element of the vector: single elements may cancel.
double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = 0.0;
  double scale = 0.0;
  for (std::size_t c = 0; c < a.size(); ++c) {
    worst = std::max(worst, std::fabs(a[c] - b[c]));
    scale = std::max(scale, std::fabs(b[c]));
  }
  return scale > 0.0 ? worst / scale : worst;
}

RC_GTEST_PROP(FramePartials, MergeToTheAttentionOfTheirTokens, ()) {
  const Sample sample = make_sample(some_wish());
  const std::int64_t token = *rc::gen::inRange<std::int64_t>(0, sample.grid.seq_len());
  const FramePartials partials = compute_partials(sample, {&token, 1});
  const auto cells = some_cells(sample.grid);
  std::vector<std::int32_t> all(static_cast<std::size_t>(partials.cells));
  std::iota(all.begin(), all.end(), 0);

  const MergedRow merged = merge_cells(partials, 0, cells);
  const NaiveRow direct = attend_naively(sample, token, cells);
  const NaiveRow dense = attend_naively(sample, token, all);
  RC_ASSERT(distance(merged.out, direct.out) <= 1e-12);
  const double shift = dense.lse - direct.lse;
  RC_ASSERT(std::fabs(merged.lse_shift - shift) <=
            1e-12 * (1.0 + std::fabs(dense.lse) + std::fabs(direct.lse)));
}

}  // namespace
}  // namespace lvsa::analysis
