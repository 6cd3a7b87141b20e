// Sparse-VideoGen against its restatement, and its rules one by one.

#include "reference/sparse/sparse_videogen.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/error.hpp"
#include "core/sparse/sparse_videogen_choice.hpp"
#include "tests/sparse_dynamic/head_sample.hpp"

namespace lvsa::sparse_test {
namespace {

HeadPattern pattern_of(const std::string& words, const HeadSample& sample, bool with_v = false) {
  PatternInput input = sample.input();
  if (with_v) input.v = sample.v_tensor.view();
  return make_rule(words)->make(input);
}

RC_GTEST_PROP(SparseVideoGen, IsTheRestatedOne, ()) {
  const auto text =
      *rc::gen::weightedOneOf<std::int64_t>({{2, rc::gen::just<std::int64_t>(0)},
                                             {4, rc::gen::inRange<std::int64_t>(1, 30)},
                                             {1, rc::gen::just<std::int64_t>(512)}});
  const HeadSample sample(
      video_of(*rc::gen::inRange<std::int64_t>(1, 7), *rc::gen::inRange<std::int64_t>(1, 6),
               *rc::gen::inRange<std::int64_t>(1, 6), text),
      *rc::gen::element<std::int64_t>(1, 5, 8), *rc::gen::element(LVSA_BF16, LVSA_F32), *any_fill(),
      *any_fill(), *rc::gen::arbitrary<std::uint32_t>());
  reference::VideoHead head = sample.video_head();
  const bool with_v = *rc::gen::arbitrary<bool>();
  if (with_v) head.v = sample.v;
  reference::SparseVideoGenRequest r;
  r.wan = *rc::gen::arbitrary<bool>();
  r.sample_width = r.wan ? 2.0 : 1.5;
  r.sink_before_reorder = *rc::gen::arbitrary<bool>();
  r.unit = *rc::gen::element<std::int64_t>(1, 3, 8, 128);
  const int seed = *rc::gen::inRange(0, 1000);
  r.rows = sparse::sampled_rows(sample.video.grid, 4, static_cast<std::uint64_t>(seed));
  std::string width;
  if (*rc::gen::arbitrary<bool>()) {
    const double density = *any_share();
    width = fmt::format("density={}", density);
    r.mul = reference::sparse_videogen_multiplier(head, density);
  } else {
    r.mul = *rc::gen::element(0.0, 0.3, 1.0, 2.5, 1e6);
    width = fmt::format("mul={}", r.mul);
  }
  const std::string words = fmt::format(
      "svg profile={} {} rows=4 seed={} sink_before_reorder={:d} unit={} block_q={} block_k={}",
      r.wan ? "wan" : *rc::gen::element<std::string>("hunyuan", "cogvideox"), width, seed,
      r.sink_before_reorder, r.unit, *rc::gen::element(1, 8, 16, 128),
      *rc::gen::element(1, 8, 12, 64));
  RC_LOG(words);
  assert_restated(pattern_of(words, sample, with_v), reference::sparse_videogen(head, r), sample);
}

TEST(SparseVideoGen, DrawsRowsOfAllTheVideoAndNoneOfTheText) {
  const FrameGrid grid = make_frame_grid(4, 100, 300);
  const std::vector<std::int64_t> rows = sparse::sampled_rows(grid, 4096, 1);
  std::vector<int> of_frame(4, 0);
  for (const std::int64_t row : rows) {
    ASSERT_GE(row, 0);
    ASSERT_LT(row, 400);
    ++of_frame[std::size_t(row / 100)];
  }
  // 1,024 are expected of each, with a standard deviation of 28.
  for (const int count : of_frame) EXPECT_NEAR(count, 1024, 140);
  EXPECT_NE(rows, sparse::sampled_rows(grid, 4096, 2));
  EXPECT_EQ(rows, sparse::sampled_rows(grid, 4096, 1));
}

// All frames of a place share a direction (in time), or all tokens of a frame do.
HeadSample head_of_class(bool in_time) {
  HeadSample sample(video_of(6, 8, 16, 10), 16, LVSA_F32, Fill::kNoise, Fill::kNoise, 3);
  const Rows directions = make_rows(128, 16, LVSA_F32, Fill::kNoise, 4);
  for (std::int64_t s = 0; s < 768; ++s) {
    const std::int64_t direction = in_time ? s % 128 : s / 128;
    for (std::size_t d = 0; d < 16; ++d) {
      const double x = 4.0 * directions[std::size_t(direction)][d];
      encode(LVSA_F32, x, sample.q_tensor.bytes() + (std::size_t(s) * 16 + d) * 4);
      encode(LVSA_F32, x, sample.k_tensor.bytes() + (std::size_t(s) * 16 + d) * 4);
    }
  }
  return sample;
}

TEST(SparseVideoGen, TellsTheClassesApart) {
  for (const bool with_v : {false, true}) {
    for (const char* profile : {"hunyuan", "wan"}) {
      const std::string words = fmt::format("svg unit=16 profile={}", profile);
      EXPECT_EQ(pattern_of(words, head_of_class(false), with_v).choice, "spatial");
      EXPECT_EQ(pattern_of(words, head_of_class(true), with_v).choice, "temporal");
    }
  }
}

TEST(SparseVideoGen, IsSpatialInCaseOfATie) {
  const HeadSample one(video_of(1, 16, 16, 0), 8, LVSA_F32, Fill::kNoise, Fill::kNoise, 1);
  EXPECT_EQ(pattern_of("svg", one).choice, "spatial");  // one frame: both masks are the same
}

TEST(SparseVideoGen, PutsWansSinkIntoTheWrongPlacesOfTemporalHeadsAsPublished) {
  const HeadSample sample = head_of_class(true);
  const auto published = attended(pattern_of("svg profile=wan mul=0 unit=16", sample));
  const auto repaired =
      attended(pattern_of("svg profile=wan mul=0 unit=16 sink_before_reorder=0", sample));
  for (std::int64_t f = 0; f < 6; ++f) {
    for (std::int64_t p = 0; p < 128; ++p) {
      const auto token = std::size_t(f * 128 + p);
      if (token == 700) continue;  // itself
      EXPECT_EQ(published[700][token], p * 6 + f < 128) << f << ' ' << p;
      EXPECT_EQ(repaired[700][token], f == 0) << f << ' ' << p;
    }
  }
}

TEST(SparseVideoGen, RoundsTheBandByProfile) {
  // 1.5 frames of 100 tokens: 150 = 1.17 units of 128.
  const HeadSample sample(video_of(8, 10, 10, 0), 8, LVSA_F32, Fill::kConstant, Fill::kConstant, 1);
  EXPECT_EQ(visible_tokens(pattern_of("svg mul=1.5", sample), 500),
            (std::vector<KeyRange>{{500 - 127, 500 + 128}}));
  EXPECT_EQ(visible_tokens(pattern_of("svg mul=1.5 profile=wan", sample), 500),
            (std::vector<KeyRange>{{0, 100}, {500 - 256, 500 + 257}}));
}

TEST(SparseVideoGen, HasAboutTheDensityAskedFor) {
  const HeadSample sample(video_of(21, 12, 16, 100), 4, LVSA_F32, Fill::kNoise, Fill::kNoise, 1);
  for (const double density : {0.2, 0.4, 0.7}) {
    const double found =
        token_density(pattern_of(fmt::format("svg unit=1 density={}", density), sample));
    EXPECT_NEAR(found, density, 0.03);  // the formula counts pairs of text and text twice
  }
}

TEST(SparseVideoGen, RefusesWhatIsOutOfRange) {
  EXPECT_THROW(make_rule("svg density=1.5"), Error);
  EXPECT_THROW(make_rule("svg profile=sora"), Error);
  EXPECT_THROW(make_rule("svg density=0.5 mul=2"), Error);
  EXPECT_THROW(make_rule("svg rows=0"), Error);
}

}  // namespace
}  // namespace lvsa::sparse_test
