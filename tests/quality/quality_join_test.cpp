#include "analysis/quality/quality_join.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "analysis/quality/csv_table.hpp"
#include "analysis/report/html_quality.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

// Settings of rising density whose recall rises with it, but for one that is turned about.
SweepResults sweep() {
  SweepResults results;
  results.grid = {21, 4, 0};
  results.identity = "made up";
  results.samples.push_back({"x", 0, 0, 0, 0});
  const std::vector<double> recalls = {0.5, 0.6, 0.8, 0.7, 0.9};
  for (std::size_t i = 0; i < recalls.size(); ++i) {
    SweepSetting setting;
    setting.window = static_cast<std::int64_t>(i);
    SettingFigures figures;
    figures.token_density = 0.1 * static_cast<double>(i + 1);
    results.settings.push_back(setting);
    results.figures.push_back(figures);
    MetricValues values{};
    values[static_cast<std::size_t>(Metric::kRecallMean)] = recalls[i];
    values[static_cast<std::size_t>(Metric::kRelativeL2)] = 1.0 - recalls[i];
    results.values.push_back(values);
  }
  return results;
}

// Two videos a setting; their mean rises with the density.
QualityRuns runs(std::size_t settings) {
  QualityRuns list;
  list.dimensions = {"vqeval.composite"};
  for (std::size_t i = 0; i < settings; ++i) {
    for (const double by : {-5.0, 5.0}) {
      const std::string name = "W=" + std::to_string(i) + (by < 0 ? "/a.mp4" : "/b.mp4");
      list.runs.push_back(
          {name, "t", "", {{"vqeval.composite", 50.0 + static_cast<double>(i) + by}}});
    }
  }
  return list;
}

QualityReport join(const QualityRuns& list, const std::vector<std::string>& figures) {
  const SweepResults results = sweep();
  return join_quality(results, list, settings_of_runs(list, {}, {}, results.settings), figures);
}

TEST(QualityJoin, TheSettingIsTheUnitNotTheVideo) {
  const QualityReport report = join(runs(5), {"recall", "density"});
  ASSERT_EQ(report.points.size(), 5U);
  EXPECT_EQ(report.runs, 10U);
  EXPECT_EQ(report.points[2].scores[0], 52.0);  // the mean of 47 and 57
  EXPECT_EQ(report.points[2].runs[0], 2U);
  ASSERT_EQ(report.pairs.size(), 2U);
  EXPECT_EQ(report.pairs[0].test.pairs, 5U);
  // One swap of neighbours among five.
  EXPECT_NEAR(report.pairs[0].test.rho, 0.9, 1e-12);
  EXPECT_NEAR(report.pairs[0].test.p_rho, 10.0 / 120.0, 1e-12);
  EXPECT_NEAR(report.pairs[1].test.rho, 1.0, 1e-12);
  EXPECT_NEAR(report.pairs[1].p_adjusted, 2.0 * 2.0 / 120.0, 1e-12);
  // The density orders the scores wholly, so that nothing is left for the recall to tell.
  EXPECT_TRUE(std::isnan(report.pairs[0].partial_rho));
}

TEST(QualityJoin, ErrorsCorrelateTheOtherWayRound) {
  const QualityReport report = join(runs(5), {"rel_l2"});
  EXPECT_NEAR(report.pairs[0].test.rho, -0.9, 1e-12);
}

TEST(QualityJoin, DenseVideosAreAPointOfTheirOwn) {
  QualityRuns list = runs(5);
  list.runs.push_back({"d.mp4", "t", "dense", {{"vqeval.composite", 90.0}}});
  const QualityReport report = join(list, {"density", "recall", "psnr"});
  ASSERT_EQ(report.points.size(), 6U);
  EXPECT_EQ(report.points.back().words, "dense");
  EXPECT_EQ(report.points.back().figures, (std::vector<double>{1.0, 1.0, INFINITY}));
  EXPECT_EQ(report.pairs[0].test.pairs, 6U);
}

TEST(QualityJoin, SmallNumbersAndUnevenOnesAreWarnedOf) {
  QualityRuns list = runs(4);
  list.runs.pop_back();
  const QualityReport report = join(list, {"recall"});
  ASSERT_EQ(report.warnings.size(), 2U);
  EXPECT_EQ(
      report.warnings[0],
      "vqeval.composite: only 4 settings: intervals are rough, and even a perfect order has p "
      "= 0.083");
  EXPECT_EQ(report.warnings[1].rfind("vqeval.composite: settings have from 1 to 2 videos", 0), 0U);
}

TEST(QualityJoin, RunsWithoutASettingAreNamedAndNothingMatchedIsAnError) {
  QualityRuns list = runs(3);
  list.runs.push_back({"W=99.mp4", "t", "", {{"vqeval.composite", 1.0}}});
  const QualityReport report = join(list, {"recall"});
  ASSERT_EQ(report.unmatched.size(), 1U);
  EXPECT_EQ(report.unmatched[0].reason, "'W=99' is no setting of the sweep");
  EXPECT_NE(quality_text(report).find("left out: W=99.mp4: 'W=99' is no setting"),
            std::string::npos);
  EXPECT_THROW(join(runs(0), {"recall"}), Error);
  EXPECT_THROW(join(runs(3), {"taste"}), Error);
}

TEST(QualityJoin, TablesReadBack) {
  const QualityReport report = join(runs(5), {"recall", "psnr"});
  const CsvTable points = parse_csv(quality_csv(report), "q");
  EXPECT_EQ(points.columns,
            (std::vector<std::string>{"setting", "recall", "psnr", "vqeval.composite",
                                      "vqeval.composite.videos"}));
  ASSERT_EQ(points.rows.size(), 5U);
  EXPECT_EQ(points.rows[1][1], "0.6");
  EXPECT_EQ(points.rows[1][4], "2");
  const CsvTable pairs = parse_csv(correlations_csv(report), "c");
  ASSERT_EQ(pairs.rows.size(), 2U);
  EXPECT_EQ(pairs.rows[0][*pairs.column("settings")], "5");
  EXPECT_EQ(pairs.rows[1][*pairs.column("spearman_rho")], "");  // all alike: not defined
}

TEST(QualityPage, HoldsEveryPairAndEscapesForeignText) {
  QualityRuns list = runs(5);
  list.dimensions.push_back("vbench.<b>");
  list.runs.front().scores["vbench.<b>"] = 1.0;
  const std::string html =
      html_quality(join(list, {"recall", "density"}), {"a <sweep>", {"r&d.csv"}}, {});
  EXPECT_EQ(html.find("<b>\""), std::string::npos);
  EXPECT_EQ(html.find("vbench.<b>"), std::string::npos);
  EXPECT_NE(html.find("vbench.&lt;b&gt;"), std::string::npos);
  EXPECT_NE(html.find("r&amp;d.csv"), std::string::npos);
  EXPECT_NE(html.find("+0.90"), std::string::npos);
  EXPECT_EQ(html.find("http"), html.find("http-equiv"));  // nothing is fetched
}

}  // namespace
}  // namespace lvsa::analysis
