#include "analysis/maps/head_class.hpp"

#include <gtest/gtest.h>

#include "analysis/maps/dump.hpp"
#include "analysis/maps/latent_size.hpp"
#include "analysis/synth/synthetic_source.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

const FrameGrid kGrid{21, 1560, 0};
const LatentSize kSize{30, 52, "test"};

HeadStatistics even_attention() {
  HeadStatistics s;
  s.own_frame = s.first_frame = s.anchor = 1.0 / 21.0;
  s.same_place = 20.0 * 9.0 / (21.0 * 1560.0);
  s.spread = 1.0;
  return s;
}

TEST(HeadClass, IsThatOfTheLargestShareAboveEvenAttention) {
  HeadStatistics s = even_attention();
  EXPECT_EQ(classify(s, kGrid, kSize), HeadClass::kDiffuse);
  s.spread = 0.5;
  EXPECT_EQ(classify(s, kGrid, kSize), HeadClass::kMixed);
  s.own_frame = 0.6;
  EXPECT_EQ(classify(s, kGrid, kSize), HeadClass::kSpatial);
  s.same_place = 0.7;
  EXPECT_EQ(classify(s, kGrid, kSize), HeadClass::kTemporal);
  s.anchor = 0.8;
  EXPECT_EQ(classify(s, kGrid, kSize), HeadClass::kGlobal);
}

TEST(HeadClass, BeginsAtItsThreshold) {
  HeadStatistics s = even_attention();
  s.spread = 0.0;
  const double even = 1.0 / 21.0;
  s.own_frame = even + (kClassShare - 1e-9) * (1.0 - even);
  EXPECT_EQ(classify(s, kGrid, kSize), HeadClass::kMixed);
  s.own_frame = even + (kClassShare + 1e-9) * (1.0 - even);
  EXPECT_EQ(classify(s, kGrid, kSize), HeadClass::kSpatial);
}

TEST(HeadClass, OfASingleFrameIsDiffuseOrMixed) {
  HeadStatistics s;
  s.own_frame = 1.0;
  EXPECT_EQ(classify(s, {1, 1560, 0}, kSize), HeadClass::kMixed);
  s.spread = 1.0;
  EXPECT_EQ(classify(s, {1, 1560, 0}, kSize), HeadClass::kDiffuse);
}

TEST(HeadClass, CountsTheTextAsASink) {
  HeadStatistics s = even_attention();
  s.spread = 0.5;
  s.text = 0.6;
  EXPECT_EQ(classify(s, {21, 1560, 100}, kSize), HeadClass::kGlobal);
}

TEST(HeadClass, OfSyntheticHeadsIsTheOneThatTheyWereMadeWith) {
  const auto source = make_synthetic_source(
      "T=9 h=12 w=20 heads=4 D=64 steps=1 seed=3 speed=0.1 "
      "mix=spatial:1,temporal:1,global:1,diffuse:1");
  DumpOptions options;
  options.size = {12, 20, "test"};
  options.rows = {4, 1};
  const Dump dump = make_dump(*source, options);
  ASSERT_EQ(dump.heads.size(), 4U);
  EXPECT_TRUE(differing_classes(dump).empty())
      << head_class_name(dump.heads[differing_classes(dump)[0]].head_class) << " "
      << dump.heads[differing_classes(dump)[0]].class_said;
}

TEST(LatentSize, ComesFromWordsModelsOrAGuess) {
  const PresetTable presets;
  EXPECT_EQ(parse_latent_size("30x52", 1560).width, 52);
  for (const char* bad : {"", "30", "30x", "x52", "30x51", "30x52x1", "-30x-52", "30 x 52",
                          "4294967296x4294967296"}) {
    EXPECT_THROW(parse_latent_size(bad, 1560), Error) << bad;
  }
  const LatentSize wan = find_latent_size(1560, presets, "");
  EXPECT_EQ(wan.height, 30);
  EXPECT_EQ(wan.width, 52);
  EXPECT_FALSE(wan.guessed);
  EXPECT_THROW(find_latent_size(1561, presets, "wan-1.3b"), Error);
  EXPECT_THROW(find_latent_size(1560, presets, "nobody"), Error);
  const LatentSize guess = find_latent_size(144, presets, "");
  EXPECT_TRUE(guess.guessed);
  EXPECT_EQ(guess.height * guess.width, 144);
  EXPECT_EQ(guess.height, 9);  // 9 x 16
  EXPECT_EQ(find_latent_size(13, presets, "").tokens(), 13);
}

}  // namespace
}  // namespace lvsa::analysis
