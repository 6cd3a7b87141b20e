// Masses of rows and frames against a softmax written out here.

#include <gtest/gtest.h>
#include <omp.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <numeric>

#include "analysis/maps/frame_mass.hpp"
#include "analysis/maps/token_map.hpp"
#include "analysis/sweep/pattern_metrics.hpp"
#include "core/error.hpp"
#include "tests/maps/maps_support.hpp"

namespace lvsa::analysis {
namespace {

using test::any_sample;
using test::AnySample;
using test::naive_weights;

double sum_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

TEST(RowMass, IsTheSoftmaxAddedUpOverFrames) {
  EXPECT_TRUE(rc::check("masses, entropy and near mass of a row", [] {
    const AnySample any = any_sample();
    const FrameGrid& grid = any.sample.grid;
    const std::int64_t token = *rc::gen::inRange<std::int64_t>(0, grid.video_tokens());
    const std::int64_t tokens[] = {token};
    const RowMass row = row_masses(any.sample, any.size, tokens).front();
    const std::vector<double> p = naive_weights(any.sample, token);
    std::vector<double> mass(row.mass.size());
    std::vector<double> near(static_cast<std::size_t>(grid.frames));
    double entropy = 0.0;
    const std::int64_t y = token % grid.patches_per_frame / any.size.width;
    const std::int64_t x = token % grid.patches_per_frame % any.size.width;
    for (std::int64_t j = 0; j < grid.seq_len(); ++j) {
      const double weight = p[static_cast<std::size_t>(j)];
      const std::int64_t frame = std::min(j / grid.patches_per_frame, grid.frames);
      mass[j < grid.video_tokens() ? static_cast<std::size_t>(frame) : mass.size() - 1] += weight;
      if (weight > 0.0) entropy -= weight * std::log(weight);
      if (j >= grid.video_tokens()) continue;
      const std::int64_t v = j % grid.patches_per_frame / any.size.width;
      const std::int64_t u = j % grid.patches_per_frame % any.size.width;
      if (std::abs(u - x) <= 1 && std::abs(v - y) <= 1) {
        near[static_cast<std::size_t>(frame)] += weight;
      }
    }
    for (std::size_t g = 0; g < mass.size(); ++g)
      RC_ASSERT(std::fabs(row.mass[g] - mass[g]) < 1e-12);
    for (std::size_t g = 0; g < near.size(); ++g) {
      RC_ASSERT(std::fabs(row.near_mass[g] - near[g]) < 1e-12);
    }
    RC_ASSERT(std::fabs(sum_of(row.mass) - 1.0) < 1e-12);
    RC_ASSERT(std::fabs(row.entropy - entropy) < 1e-10);
  }));
}

TEST(RowMass, DoesNotDependOnItsCompanyOrOnThreads) {
  EXPECT_TRUE(rc::check("the same bits", [] {
    const AnySample any = any_sample();
    std::vector<std::int64_t> all(static_cast<std::size_t>(any.sample.grid.video_tokens()));
    std::iota(all.begin(), all.end(), 0);
    const int before = omp_get_max_threads();
    omp_set_num_threads(3);
    const std::vector<RowMass> together = row_masses(any.sample, any.size, all);
    omp_set_num_threads(1);
    for (const std::int64_t token : {std::int64_t{0}, any.sample.grid.video_tokens() - 1}) {
      const std::int64_t tokens[] = {token};
      const RowMass alone = row_masses(any.sample, any.size, tokens).front();
      const RowMass& same = together[static_cast<std::size_t>(token)];
      RC_ASSERT(alone.mass == same.mass);
      RC_ASSERT(alone.near_mass == same.near_mass);
      RC_ASSERT(alone.lse == same.lse);
      RC_ASSERT(alone.entropy == same.entropy);
    }
    omp_set_num_threads(before);
  }));
}

TEST(TokenMap, AddsUpToTheMassesOfItsFrames) {
  EXPECT_TRUE(rc::check("a map's frames", [] {
    const AnySample any = any_sample();
    const FrameGrid& grid = any.sample.grid;
    const RowPlace place{*rc::gen::inRange<std::int64_t>(0, grid.frames),
                         *rc::gen::inRange<std::int64_t>(0, any.size.height),
                         *rc::gen::inRange<std::int64_t>(0, any.size.width)};
    const std::int64_t tokens[] = {place.frame * grid.patches_per_frame + place.y * any.size.width +
                                   place.x};
    const TokenMap map = map_tokens(any.sample, any.size, place);
    const RowMass row = row_masses(any.sample, any.size, tokens).front();
    const std::vector<double> p = naive_weights(any.sample, tokens[0]);
    for (std::int64_t f = 0; f < grid.frames; ++f) {
      double sum = 0.0;
      for (std::int64_t i = 0; i < grid.patches_per_frame; ++i) {
        const auto at = static_cast<std::size_t>(f * grid.patches_per_frame + i);
        sum += map.weights[at];
        RC_ASSERT(std::fabs(map.weights[at] - p[at]) < 1e-12);
      }
      RC_ASSERT(std::fabs(sum - row.mass[static_cast<std::size_t>(f)]) < 1e-12);
    }
    RC_ASSERT(std::fabs(sum_of(map.weights) + map.text - 1.0) < 1e-12);
  }));
}

TEST(FrameMass, LosesWhatThePatternLeavesOut) {
  EXPECT_TRUE(rc::check("lost mass and recall", [] {
    const AnySample any = any_sample();
    const FrameGrid& grid = any.sample.grid;
    std::vector<std::int64_t> all(static_cast<std::size_t>(grid.video_tokens()));
    std::iota(all.begin(), all.end(), 0);
    const HeadMass head = head_mass(any.sample, any.size, all);
    const FramePattern pattern = build_frame_pattern({grid.frames,
                                                      *rc::gen::inRange<std::int64_t>(0, 3),
                                                      *rc::gen::inRange<std::int64_t>(0, 2),
                                                      *rc::gen::inRange<std::int64_t>(1, 4),
                                                      0,
                                                      true,
                                                      {}});
    const PatternMass kept = apply_pattern(head.mass, pattern);
    double recall = 0.0;
    for (std::int64_t f = 0; f < grid.frames; ++f) {
      double frame = 0.0;
      for (std::int64_t i = 0; i < grid.patches_per_frame; ++i) {
        const std::vector<double> p = naive_weights(any.sample, f * grid.patches_per_frame + i);
        for (const std::int32_t k : pattern.row(f)) {
          for (std::int64_t j = 0; j < grid.patches_per_frame; ++j) {
            frame += p[static_cast<std::size_t>(k * grid.patches_per_frame + j)];
          }
        }
        for (std::int64_t j = grid.video_tokens(); j < grid.seq_len(); ++j) {
          frame += p[static_cast<std::size_t>(j)];
        }
      }
      frame /= static_cast<double>(grid.patches_per_frame);
      recall += frame;
      RC_ASSERT(std::fabs(1.0 - frame - kept.lost[static_cast<std::size_t>(f)]) < 1e-12);
    }
    recall /= static_cast<double>(grid.frames);
    RC_ASSERT(std::fabs(kept.recall - recall) < 1e-12);
    RC_ASSERT(std::fabs(kept.lost_mean - (1.0 - recall)) < 1e-12);
    RC_ASSERT(kept.recall_min <= kept.recall + 1e-15);
  }));
}

// The sweep has recalls from frame partials, which share no code with the maps.
TEST(FrameMass, LosesAsMuchAsASweepSays) {
  EXPECT_TRUE(rc::check("recall of the same rows", [] {
    const AnySample any = any_sample();
    const FrameGrid& grid = any.sample.grid;
    const RowChoice choice{*rc::gen::inRange<std::int64_t>(0, 4), 7};
    const FramePattern pattern = build_frame_pattern(
        {grid.frames, *rc::gen::inRange<std::int64_t>(0, 3), 1, 3, 0, true, {}});
    const HeadMass head = head_mass(any.sample, any.size, choose_rows(grid, choice));
    const MetricValues swept =
        evaluate_patterns(any.sample, std::span<const FramePattern>(&pattern, 1), choice).front();
    const double recall = swept[static_cast<std::size_t>(Metric::kRecallMean)];
    RC_ASSERT(std::fabs(apply_pattern(head.mass, pattern).recall - recall) < 1e-12);
  }));
}

TEST(FrameMass, NeedsRowsOfEveryFrame) {
  const AnySample any = test::make_sample({2, 3, 0}, {1, 3, "test"}, 4, 1, 1.0);
  const std::int64_t first_frame_only[] = {0, 1};
  EXPECT_THROW(head_mass(any.sample, any.size, first_frame_only), Error);
  const std::int64_t text[] = {6};
  EXPECT_THROW(row_masses(any.sample, any.size, text), Error);
}

TEST(RowPlaces, AreReadAndRefused) {
  const FrameGrid grid{4, 6, 0};
  const LatentSize size{2, 3, "test"};
  const auto places = parse_row_places("0:0:0,3:1:2", grid, size);
  ASSERT_EQ(places.size(), 2U);
  EXPECT_EQ(places[1], (RowPlace{3, 1, 2}));
  for (const char* bad : {"", "1", "1:2", "1:1:1:1", "4:0:0", "0:2:0", "0:0:3", "-1:0:0", "0:0:0,",
                          "0:0:0,0:0:0", "a:b:c", "0: 0:0", "99999999999999999999:0:0"}) {
    EXPECT_THROW(parse_row_places(bad, grid, size), Error) << bad;
  }
}

}  // namespace
}  // namespace lvsa::analysis
