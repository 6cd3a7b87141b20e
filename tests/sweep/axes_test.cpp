#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "analysis/sweep/sweep_axes.hpp"
#include "core/error.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

using test_support::has;
using test_support::refusal_of;

std::string of_reals(const std::string& text) {
  return refusal_of([&] { parse_real_axis("--scale", text, 0.0, 10.0); });
}

std::string of_integers(const std::string& text) {
  return refusal_of([&] { parse_integer_axis("--window", text, 0, 100); });
}

using Reals = std::vector<double>;
using Integers = std::vector<std::int64_t>;

TEST(Axis, OfDecimalsHasTheDecimals) {
  EXPECT_EQ(parse_real_axis("--scale", "0.5:1.5:0.1", 0.0, 10.0),
            (Reals{0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5}));
  EXPECT_EQ(parse_real_axis("--scale", "0.1:0.35:0.05", 0.0, 10.0),
            (Reals{0.1, 0.15, 0.2, 0.25, 0.3, 0.35}));
  EXPECT_EQ(parse_real_axis("--scale", "2,0.5,1", 0.0, 10.0), (Reals{2.0, 0.5, 1.0}));
  EXPECT_EQ(parse_real_axis("--scale", "1:2:0.4", 0.0, 10.0), (Reals{1.0, 1.4, 1.8}));
}

TEST(Axis, OfIntegersMixesNumbersAndRanges) {
  EXPECT_EQ(parse_integer_axis("--window", "1:4", 0, 100), (Integers{1, 2, 3, 4}));
  EXPECT_EQ(parse_integer_axis("--window", "9,1:7:3,0", 0, 100), (Integers{9, 1, 4, 7, 0}));
  const auto intervals = parse_interval_axis("--interval", "auto,2:3,0");
  ASSERT_EQ(intervals.size(), 4u);
  EXPECT_FALSE(intervals[0]);
  EXPECT_EQ(intervals[3], 0);
}

TEST(Axis, NamesWhatIsWrong) {
  EXPECT_TRUE(has(of_reals("0.5:x:0.1"), "--scale '0.5:x:0.1'"));
  EXPECT_TRUE(has(of_reals("1,,2"), "in '1,,2'"));
  EXPECT_TRUE(has(of_reals(""), "a number"));
  EXPECT_TRUE(has(of_reals("nan"), "out of range"));
  EXPECT_TRUE(has(of_reals("0.5:1.5:0"), "STEP > 0"));
  EXPECT_TRUE(has(of_reals("0:1:1e-9"), "at most 100000"));
  EXPECT_TRUE(has(of_integers("4:1"), "FIRST <= LAST"));
  EXPECT_TRUE(has(of_integers("1:2:3:4"), "FIRST:LAST[:STEP]"));
  EXPECT_TRUE(has(of_integers("101"), "0 to 100"));
  EXPECT_TRUE(has(of_integers("1,2,1"), "1 stands twice"));
  EXPECT_TRUE(has(of_integers("2.5"), "an integer"));
  EXPECT_TRUE(has(refusal_of([] { parse_interval_axis("--interval", "auto,auto"); }), "twice"));
}

TEST(Grid, IsTheProductWithTheLastAxisFastest) {
  SweepAxes axes;
  axes.window = {1, 2};
  axes.scale = {0.5, 1.0};
  axes.rotate = {0, 1};
  axes.offsets = {0, 2};
  const auto settings = grid_settings(axes, 21);
  ASSERT_EQ(settings.size(), 12u);  // a setting that rotates has no offset of its own
  EXPECT_EQ(product_size(axes, 21), 12);
  EXPECT_EQ(setting_words(settings[1]),
            "W=1 n_first=1 interval=auto ref=21 scale=0.5 expand=1 rotate=0 offset=2");
  EXPECT_TRUE(settings[2].rotate);
  EXPECT_EQ(settings[3].scale, 1.0);
  EXPECT_EQ(settings[6].window, 2);
}

TEST(Grid, GoesThroughAllOffsetsOfEachInterval) {
  SweepAxes axes;
  axes.interval = {2, 5};
  axes.all_offsets = true;
  const auto settings = grid_settings(axes, 21);
  ASSERT_EQ(settings.size(), 7u);
  EXPECT_EQ(settings[1].offset, 1);
  EXPECT_EQ(settings[6].offset, 4);
}

TEST(Grid, OfTooManySettingsIsRefusedWithTheSizes) {
  SweepAxes axes;
  axes.window = parse_integer_axis("--window", "0:1999", 0, 65536);
  axes.reference = parse_integer_axis("--reference", "1:2000", 0, 65536);
  const std::string text = refusal_of([&] { grid_settings(axes, 21); });
  EXPECT_TRUE(has(text, "4000000 settings")) << text;
  EXPECT_TRUE(has(text, "W 2000 x")) << text;
  EXPECT_EQ(random_settings(axes, 5, 1).size(), 5u);
}

TEST(RandomSettings, AreDifferentOnesOfTheProduct) {
  SweepAxes axes;
  axes.window = {0, 1, 2, 3};
  axes.scale = {0.5, 0.75, 1.0};
  axes.rotate = {0, 1};
  std::set<std::string> product;
  for (const SweepSetting& s : grid_settings(axes, 21)) product.insert(setting_words(s));
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::set<std::string> drawn;
    for (const SweepSetting& s : random_settings(axes, 7, seed)) drawn.insert(setting_words(s));
    EXPECT_EQ(drawn.size(), 7u);
    for (const std::string& words : drawn) EXPECT_EQ(product.count(words), 1u) << words;
  }
  EXPECT_EQ(random_settings(axes, 24, 3).size(), 24u);
  EXPECT_EQ(random_settings(axes, 7, 3), random_settings(axes, 7, 3));
  EXPECT_NE(random_settings(axes, 7, 3), random_settings(axes, 7, 4));
  EXPECT_TRUE(has(refusal_of([&] { random_settings(axes, 25, 1); }), "only 24"));
}

// Each of 12 settings is in a draw of 3 with probability 1/4: 1,000 of 4,000 draws, six standard
// deviations are 164.
TEST(RandomSettings, AreEachAsLikely) {
  SweepAxes axes;
  axes.window = {0, 1, 2, 3};
  axes.scale = {0.5, 0.75, 1.0};
  std::map<std::string, int> counts;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    for (const SweepSetting& s : random_settings(axes, 3, seed)) ++counts[setting_words(s)];
  }
  ASSERT_EQ(counts.size(), 12u);
  for (const auto& [words, count] : counts) EXPECT_NEAR(count, 1000, 164) << words;
}

TEST(SettingsFile, HasASettingALineAndNamesBadOnes) {
  const std::string path = testing::TempDir() + "settings.txt";
  std::ofstream(path) << "# a list\nW=3 scale=0.8   # the first\n\nW=4 interval=5 rotate=1\n";
  const auto settings = read_settings_file(path);
  ASSERT_EQ(settings.size(), 2u);
  EXPECT_EQ(settings[0].scale, 0.8);
  EXPECT_EQ(settings[1].interval, 5);
  std::ofstream(path) << "W=3\nW=x\n";
  EXPECT_TRUE(has(refusal_of([&] { read_settings_file(path); }), "settings.txt:2:"));
  std::ofstream(path) << "W=3\n\nW=3 n_first=1\n";
  EXPECT_TRUE(has(refusal_of([&] { read_settings_file(path); }), "of line 1 once more"));
  std::ofstream(path) << "# nothing\n";
  EXPECT_TRUE(has(refusal_of([&] { read_settings_file(path); }), "holds no setting"));
}

}  // namespace
}  // namespace lvsa::analysis
