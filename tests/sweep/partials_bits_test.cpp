// The same bits on any set of instructions, any number of threads, in any company.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "analysis/sweep/partials_pass.hpp"
#include "analysis/sweep/pattern_metrics.hpp"
#include "analysis/verify/inputs.hpp"
#include "tests/sweep/partials_support.hpp"

namespace lvsa::analysis {
namespace {

using reference::SimdLevel;
using testing::make_sample;

constexpr SimdLevel kLevels[] = {SimdLevel::kBaseline, SimdLevel::kAvx2, SimdLevel::kAvx512};

std::vector<FramePattern> some_patterns(std::int64_t frames, std::size_t count) {
  std::vector<FramePattern> patterns;
  for (std::size_t i = 0; i < count; ++i) {
    const auto draw = [&](std::uint64_t stream, std::uint64_t below) {
      return static_cast<std::int64_t>(random_bits(3, stream, i) % below);
    };
    patterns.push_back(build_frame_pattern({.frames = frames,
                                            .window_frames = draw(0, 4),
                                            .n_first_frames = draw(1, 3),
                                            .interval = draw(2, 7),
                                            .offset = draw(3, 7),
                                            .expand_window = draw(4, 2) == 1}));
  }
  return patterns;
}

void expect_same(const std::vector<double>& a, const std::vector<double>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(std::bit_cast<std::uint64_t>(a[i]), std::bit_cast<std::uint64_t>(b[i])) << i;
  }
}

void expect_same(const MetricValues& a, const MetricValues& b) {
  expect_same(std::vector<double>(a.begin(), a.end()), std::vector<double>(b.begin(), b.end()));
}

// 1/10 has no short binary form: sums in another order have other bits.
Sample rough_sample(std::int64_t frames, std::int64_t patches, std::int64_t text,
                    std::int64_t dim) {
  Sample sample = make_sample({.frames = frames, .patches = patches, .text = text, .dim = dim});
  for (const char tensor : {'q', 'k', 'v'}) {
    for (std::int64_t j = 0; j < sample.grid.seq_len(); ++j) {
      for (std::int64_t c = 0; c < dim; ++c) testing::element(sample, tensor, j, c) /= 10.0;
    }
  }
  return sample;
}

TEST(PartialsBits, AreTheSameOnEverySetOfInstructions) {
  const Sample sample = rough_sample(5, 37, 11, 45);
  const auto tokens = choose_rows(sample.grid, {.rows_per_frame = 9});
  const PatternPlan plan(5, some_patterns(5, 40));
  const auto partials_at = [&](SimdLevel level) {
    return compute_partials(sample, tokens, {.level = level});
  };
  const FramePartials first = partials_at(SimdLevel::kBaseline);
  const auto metrics_at = [&](SimdLevel level) {
    PatternEvaluator evaluator(plan, sample.grid, 45, {.level = level});
    evaluator.add(first);
    return evaluator.finish();
  };
  const auto values = metrics_at(SimdLevel::kBaseline);
  for (const SimdLevel level : kLevels) {
    if (!reference::machine_has(level)) continue;
    const FramePartials other = partials_at(level);
    expect_same(first.max_score, other.max_score);
    expect_same(first.normaliser, other.normaliser);
    expect_same(first.out, other.out);
    const auto again = metrics_at(level);
    for (std::size_t p = 0; p < values.size(); ++p) expect_same(values[p], again[p]);
  }
}

TEST(PartialsBits, AreTheSameOnAnyNumberOfThreadsAndInAnyBlocks) {
  const Sample sample = rough_sample(4, 11, 3, 24);
  const PatternPlan plan(4, some_patterns(4, 30));
  const RowChoice choice{.rows_per_frame = 0};
  const auto tokens = choose_rows(sample.grid, choice);
  const auto values = evaluate_patterns(sample, plan, choice, 1);
  const auto again = evaluate_patterns(sample, plan, choice, 3);
  for (std::size_t p = 0; p < values.size(); ++p) expect_same(values[p], again[p]);
  for (const std::int64_t bytes : {1, 20000}) {
    PatternEvaluator evaluator(plan, sample.grid, static_cast<std::int64_t>(tokens.size()),
                               {.threads = 2});
    stream_partials(sample, tokens, {.threads = 2}, bytes,
                    [&](const FramePartials& block) { evaluator.add(block); });
    const auto streamed = evaluator.finish();
    for (std::size_t p = 0; p < values.size(); ++p) expect_same(values[p], streamed[p]);
  }
}

TEST(PartialsBits, OfAPatternDoNotDependOnThePatternsBesideIt) {
  const Sample sample = rough_sample(19, 6, 0, 16);
  const auto patterns = some_patterns(19, 60);
  const auto together = evaluate_patterns(sample, patterns);
  for (std::size_t p = 0; p < patterns.size(); p += 7) {
    const auto alone = evaluate_patterns(sample, std::span(patterns).subspan(p, 1), {}, 1);
    expect_same(together[p], alone[0]);
  }
  PatternPlan reversed(19);
  for (std::size_t p = patterns.size(); p-- > 0;) reversed.add(patterns[p]);
  const auto backwards = evaluate_patterns(sample, reversed);
  for (std::size_t p = 0; p < patterns.size(); ++p) {
    expect_same(together[p], backwards[patterns.size() - 1 - p]);
  }
}

// Their own functions, since those of the system's library differ from machine to machine.
TEST(PartialsBits, ComeFromALogarithmThatIsRightToTwoUnits) {
  const PartialsLoops& loops = partials_loops(SimdLevel::kBaseline);
  double worst = 0.0;
  for (std::uint64_t i = 0; i < 20000; ++i) {
    const std::uint64_t bits = random_bits(5, 0, i);
    const double x = std::ldexp(1.0 + static_cast<double>(bits >> 12) * 0x1p-52,
                                static_cast<int>(bits % 2000) - 1000);
    const double near_one = 1.0 + static_cast<double>(static_cast<std::int64_t>(bits)) * 0x1p-70;
    for (const double value : {x, near_one}) {
      double log = 0.0;
      loops.log_array(&value, &log, 1);
      const long double exact = std::log(static_cast<long double>(value));
      const auto unit =
          static_cast<long double>(std::nextafter(std::fabs(static_cast<double>(exact)), 1e300) -
                                   std::fabs(static_cast<double>(exact)));
      worst = std::max(worst, static_cast<double>(std::fabs(log - exact) / unit));
    }
  }
  EXPECT_LE(worst, 2.0);
  const double one = 1.0;
  double log = 1.0;
  loops.log_array(&one, &log, 1);
  EXPECT_EQ(log, 0.0);
}

}  // namespace
}  // namespace lvsa::analysis
