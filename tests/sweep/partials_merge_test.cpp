// Merged frame partials against attention from its definition, and against the oracle.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/sweep/pattern_metrics.hpp"
#include "core/error.hpp"
#include "reference/attention/oracle.hpp"
#include "tests/support/refusal.hpp"
#include "tests/sweep/partials_support.hpp"

namespace lvsa::analysis {
namespace {

using testing::attend_naively;
using testing::element;
using testing::make_sample;
using testing::NaiveRow;
using testing::SampleWish;

SampleWish some_wish() {
  SampleWish wish;
  wish.frames = *rc::gen::weightedOneOf<std::int64_t>(
      {{1, rc::gen::just<std::int64_t>(1)}, {4, rc::gen::inRange<std::int64_t>(1, 20)}});
  wish.patches = *rc::gen::weightedOneOf<std::int64_t>(
      {{1, rc::gen::just<std::int64_t>(1)}, {4, rc::gen::inRange<std::int64_t>(1, 20)}});
  wish.text = *rc::gen::weightedElement<std::int64_t>({{2, 0}, {1, 1}, {1, 17}});
  wish.dim = *rc::gen::inRange<std::int64_t>(1, 35);
  wish.seed = *rc::gen::inRange<std::uint64_t>(0, 1000000);
  // The largest scores are some 20 sqrt(D) times the loudness: 0 to 1e5.
  wish.loudness = *rc::gen::element(0.0, 0.0625, 1.0, 4.0, 64.0, 1024.0);
  return wish;
}

/// Frames as the toss says, the text always.
std::vector<std::int32_t> some_cells(const FrameGrid& grid) {
  std::vector<std::int32_t> cells;
  const int of_three = *rc::gen::inRange(0, 4);
  for (std::int32_t f = 0; f < grid.frames; ++f) {
    if (*rc::gen::inRange(0, 3) < of_three) cells.push_back(f);
  }
  if (grid.text_tokens > 0) cells.push_back(static_cast<std::int32_t>(grid.frames));
  if (cells.empty())
    cells.push_back(*rc::gen::inRange<std::int32_t>(0, static_cast<int>(grid.frames)));
  return cells;
}

std::vector<std::int32_t> all_cells(const FrameGrid& grid) {
  std::vector<std::int32_t> all(static_cast<std::size_t>(cell_count(grid)));
  std::iota(all.begin(), all.end(), 0);
  return all;
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
  const FramePartials partials = compute_partials(sample, {&token, 1}, {.threads = 1});
  const auto cells = some_cells(sample.grid);
  const MergedRow merged = merge_cells(partials, 0, cells);
  const NaiveRow direct = attend_naively(sample, token, cells);
  const NaiveRow dense = attend_naively(sample, token, all_cells(sample.grid));

  RC_ASSERT(distance(merged.out, direct.out) <= 1e-12);
  const long double shift = dense.lse - direct.lse;
  RC_ASSERT(std::fabs(merged.figures.lse_shift - static_cast<double>(shift)) <=
            1e-12 * std::max(1.0, static_cast<double>(shift)));
  const auto recall = static_cast<double>(std::exp(-shift));
  RC_ASSERT(std::fabs(merged.figures.recall - recall) <=
            1e-12 * std::max(1.0, static_cast<double>(shift)) * recall);
  const auto entropy = static_cast<double>(direct.entropy);
  RC_ASSERT(std::fabs(merged.figures.entropy - entropy) <= 1e-12 * (1.0 + entropy));
}

RC_GTEST_PROP(FramePartials, MergeToWhatTheOracleSays, ()) {
  SampleWish wish = some_wish();
  wish.dim = 16;
  const Sample sample = make_sample(wish);
  const std::int64_t token = *rc::gen::inRange<std::int64_t>(0, sample.grid.video_tokens());
  const FramePartials partials = compute_partials(sample, {&token, 1}, {.threads = 1});
  auto cells = some_cells(sample.grid);
  const MergedRow merged = merge_cells(partials, 0, cells);

  if (sample.grid.text_tokens > 0) cells.pop_back();  // the oracle adds the text by itself
  reference::AttentionProblem problem{sample.q, sample.k, sample.v, sample.grid, sample.scale, {}};
  problem.attended.assign(static_cast<std::size_t>(sample.grid.frames), cells);
  const reference::RowResult row = reference::attend_row(problem, {0, token, 0}, {});
  RC_ASSERT(distance(merged.out, row.out) <= 1e-12);
}

// Two frames of one token; the scores are those of q = 1, D = 1.
Sample two_scores(double first, double second) {
  Sample sample = make_sample({.frames = 2, .patches = 1, .text = 0, .dim = 1});
  sample.scale = 1.0;
  element(sample, 'q', 0, 0) = 1.0;
  element(sample, 'k', 0, 0) = first;
  element(sample, 'k', 1, 0) = second;
  element(sample, 'v', 0, 0) = 3.0;
  element(sample, 'v', 1, 0) = -2.0;
  return sample;
}

TEST(FramePartials, OfAlmostNoMassKeepTheirOutput) {
  for (const double apart : {230.0, 231.0, 690.0, 691.0, 745.0, 1e4, 2e4}) {
    const Sample sample = two_scores(-apart / 2, apart / 2);
    const std::int64_t token = 0;
    const FramePartials partials = compute_partials(sample, {&token, 1});
    const std::int32_t cell = 0;
    const MergedRow merged = merge_cells(partials, 0, {&cell, 1});
    EXPECT_DOUBLE_EQ(merged.out[0], 3.0) << apart;
    EXPECT_DOUBLE_EQ(merged.figures.lse_shift, apart);
    EXPECT_NEAR(merged.figures.recall, std::exp(-apart), 1e-12 * apart * std::exp(-apart));
    EXPECT_EQ(merged.figures.entropy, 0.0);
  }
}

TEST(FramePartials, WithoutKeysGiveZero) {
  const Sample sample = two_scores(1.0, 2.0);
  const std::int64_t token = 1;
  const FramePartials partials = compute_partials(sample, {&token, 1});
  const MergedRow merged = merge_cells(partials, 0, {});
  EXPECT_EQ(merged.out[0], 0.0);
  EXPECT_EQ(merged.figures.recall, 0.0);
  EXPECT_EQ(merged.figures.lse_shift, std::numeric_limits<double>::infinity());
  EXPECT_EQ(merged.figures.entropy, 0.0);
}

TEST(FramePartials, MassesOfTheCellsAddUpToOne) {
  const Sample sample = make_sample({.frames = 9, .patches = 7, .text = 3, .dim = 12});
  const std::vector<std::int64_t> tokens = {0, 30, 62};
  const FramePartials partials = compute_partials(sample, tokens, {.outputs = false});
  EXPECT_TRUE(partials.out.empty());
  for (std::size_t r = 0; r < tokens.size(); ++r) {
    const std::vector<double> masses = cell_masses(partials, r);
    EXPECT_NEAR(std::accumulate(masses.begin(), masses.end(), 0.0), 1.0, 1e-14);
    const NaiveRow dense = attend_naively(sample, tokens[r], all_cells(sample.grid));
    const std::int32_t text = 9;
    const NaiveRow of_text = attend_naively(sample, tokens[r], {&text, 1});
    EXPECT_NEAR(masses[9], static_cast<double>(std::exp(of_text.lse - dense.lse)), 1e-13);
    EXPECT_NEAR(partials.lse(r, 9), static_cast<double>(of_text.lse), 1e-12);
  }
}

std::string refusal(const Sample& sample, std::int64_t token) {
  return test_support::refusal_of([&] { compute_partials(sample, {&token, 1}); });
}

TEST(FramePartials, RefuseWhatIsNotFiniteAndNameIt) {
  for (const char tensor : {'q', 'k', 'v'}) {
    for (const double bad : {std::nan(""), -std::numeric_limits<double>::infinity()}) {
      Sample sample = make_sample({.frames = 3, .patches = 5, .text = 2, .dim = 4});
      element(sample, tensor, 16, 3) = bad;
      const std::string message = refusal(sample, 16);
      EXPECT_NE(message.find(std::string(1, tensor) + " holds "), std::string::npos) << message;
      EXPECT_NE(message.find("token 16, element 3"), std::string::npos) << message;
      EXPECT_NE(message.find("head 0"), std::string::npos) << message;
    }
  }
}

TEST(FramePartials, RefuseRowsAndShapesThatDoNotFit) {
  Sample sample = make_sample({.frames = 3, .patches = 5, .text = 2, .dim = 4});
  EXPECT_NE(refusal(sample, 17).find("query token 17: 0 .. 16 are there"), std::string::npos);
  sample.grid.text_tokens = 3;
  EXPECT_NE(refusal(sample, 0).find("q has shape [1, 17, 1, 4]: [1, 18, 1, 4] is due"),
            std::string::npos);
}

}  // namespace
}  // namespace lvsa::analysis
