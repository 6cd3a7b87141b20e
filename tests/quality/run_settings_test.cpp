#include "analysis/quality/run_settings.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

std::string complaint_of(const QualityRuns& runs, const std::string& map,
                         const std::vector<SweepSetting>& settings) {
  return test_support::refusal_of(
      [&] { settings_of_runs(runs, parse_setting_map(map, "map.csv"), {}, settings); });
}

QualityRuns runs_named(const std::vector<std::string>& names) {
  QualityRuns runs;
  for (const std::string& name : names) runs.runs.push_back({name, "t: line 2", "", {}});
  return runs;
}

std::vector<SweepSetting> grid() {
  std::vector<SweepSetting> settings;
  for (const std::int64_t window : {2, 3}) {
    for (const double scale : {0.5, 1.0}) {
      SweepSetting setting;
      setting.window = window;
      setting.scale = scale;
      settings.push_back(setting);
    }
  }
  return settings;
}

const std::string kNoMap = "run,setting\n";

TEST(RunSettings, WordsInNamesAreFoundWhereverTheyStand) {
  EXPECT_EQ(words_in_name({}, "out/W=3_n_first=1_scale=0.5/a dog.mp4"), "W=3 n_first=1 scale=0.5");
  EXPECT_EQ(words_in_name({}, "scale=1.0.mp4"), "scale=1.0");
  EXPECT_EQ(words_in_name({}, "NEW=3/rescale=2.mp4"), "");  // within other words
  EXPECT_EQ(words_in_name({}, "a.mp4"), "");
  EXPECT_THROW(words_in_name({}, "W=3/W=4.mp4"), Error);
}

TEST(RunSettings, PatternsTellWhereValuesStand) {
  const NameRule rule = parse_name_rule("w{W}_s{scale}");
  EXPECT_EQ(words_in_name(rule, "x/w3_s0.75_dog.mp4"), "W=3 scale=0.75");
  EXPECT_EQ(words_in_name(rule, "x/dog_w12_s1.mp4"), "W=12 scale=1");
  EXPECT_EQ(words_in_name(rule, "x/dog.mp4"), "");
  for (const std::string bad : {"plain", "w{W", "w}W{", "w{width}", ""}) {
    EXPECT_THROW(parse_name_rule(bad), Error) << bad;
  }
}

TEST(RunSettings, ALongNameEndsTheSearch) {
  const NameRule rule = parse_name_rule("{W}{scale}{ref}{budget}!");
  EXPECT_EQ(words_in_name(rule, std::string(4000, '1')), "");
}

TEST(RunSettings, WordsThatFitOneSettingAreEnough) {
  const auto found =
      settings_of_runs(runs_named({"W=3,scale=0.50.mp4", "W=3.mp4", "W=9.mp4", "dog.mp4"}),
                       parse_setting_map(kNoMap, "m"), {}, grid());
  EXPECT_EQ(found[0].setting, 2U);
  EXPECT_FALSE(found[1].setting);
  EXPECT_EQ(found[1].reason, "'W=3' fits 2 settings of the sweep");
  EXPECT_EQ(found[2].reason, "'W=9' is no setting of the sweep");
  EXPECT_EQ(found[3].reason, "nothing says its setting");
}

TEST(RunSettings, TheMapNamesVideosByPathNameStemOrFolder) {
  const SettingMap map = parse_setting_map(
      "run,setting\nx/a.mp4,W=2 scale=0.5\nb.mp4,W=2 scale=1\nc,W=3 scale=0.5\nfolder,dense\n"
      "nobody,W=3\n",
      "map.csv");
  const QualityRuns runs = runs_named({"x/a.mp4", "y/b.mp4", "y/c.mp4", "folder/sub/d.mp4"});
  const auto found = settings_of_runs(runs, map, {}, grid());
  EXPECT_EQ(found[0].setting, 0U);
  EXPECT_EQ(found[1].setting, 1U);
  EXPECT_EQ(found[2].setting, 2U);
  EXPECT_TRUE(found[3].dense);
  EXPECT_EQ(unused_rows(runs, map), std::vector<std::string>{"nobody (map.csv: line 6)"});
}

TEST(RunSettings, ContradictionsAreRefused) {
  EXPECT_EQ(complaint_of(runs_named({"W=2_scale=1.mp4"}), "run,setting\nW=2_scale=1,W=3\n", grid()),
            "video 'W=2_scale=1.mp4': map.csv: line 2 says 'W=3' and its name says 'W=2 scale=1'");
  EXPECT_EQ(
      complaint_of(runs_named({"x/a.mp4", "y/a.mp4"}), "run,setting\na,W=3\n", grid()),
      "map.csv: line 2: 'a' is the name of 2 videos; their paths, or the folders they lie in, "
      "are due");
  EXPECT_EQ(complaint_of(runs_named({"a"}), "run,setting\na,W=3\na,W=3\n", grid()),
            "map.csv: line 3: run 'a' stands twice");
  EXPECT_EQ(complaint_of(runs_named({"a"}), "name,setting\na,W=3\n", grid()),
            "map.csv: the columns 'run' and 'setting' are due");
  EXPECT_NE(
      complaint_of(runs_named({"a"}), "run,setting\na,width=3\n", grid()).find("map.csv: line 2"),
      std::string::npos);
}

}  // namespace
}  // namespace lvsa::analysis
