#include "analysis/sweep/front.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

struct Row {
  double density;
  double rel_l2;
  double recall;
};

SweepResults table(const std::vector<Row>& rows) {
  SweepResults results;
  results.grid = make_frame_grid(9, 4, 0);
  results.samples = {{"here", 0, 0, 0, 0}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    SweepSetting setting;
    setting.window = static_cast<std::int64_t>(i);
    results.settings.push_back(setting);
    SettingFigures figures;
    figures.token_density = rows[i].density;
    figures.expected_speedup = 1.0 / rows[i].density;
    results.figures.push_back(figures);
    MetricValues values{};
    values[static_cast<std::size_t>(Metric::kRelativeL2)] = rows[i].rel_l2;
    values[static_cast<std::size_t>(Metric::kRecallMean)] = rows[i].recall;
    results.values.push_back(values);
  }
  return results;
}

using Settings = std::vector<std::size_t>;

std::string complaint(const std::string& requirement) {
  return test_support::refusal_of([&] { parse_requirement(requirement); });
}

TEST(Front, HoldsWhatNoOtherSettingBeats) {
  const auto results = table({{1.0, 0.0, 1.0},
                              {0.5, 0.2, 0.9},
                              {0.5, 0.1, 0.8},  // better than the one before
                              {0.6, 0.1, 0.9},  // denser and no better
                              {0.2, 0.5, 0.6},
                              {0.2, 0.5, 0.6},     // equal: the first stands for both
                              {0.3, kNan, 0.7}});  // not defined
  EXPECT_EQ(find_front(results, {}).settings, (Settings{4, 2, 0}));
  FrontRequest by_recall;
  by_recall.metric = Metric::kRecallMean;
  EXPECT_EQ(find_front(results, by_recall).settings, (Settings{4, 6, 1, 0}));
  by_recall.cost = FrontCost::kExpectedSpeedup;
  EXPECT_EQ(find_front(results, by_recall).settings, (Settings{4, 6, 1, 0}));
}

RC_GTEST_PROP(Front, IsThatOfComparingAllPairs, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(1, 30);
  std::vector<Row> rows;
  for (std::size_t i = 0; i < size; ++i) {
    rows.push_back({*rc::gen::inRange(1, 12) / 12.0, *rc::gen::inRange(0, 12) / 12.0, 1.0});
  }
  std::vector<bool> due(size);
  for (std::size_t i = 0; i < size; ++i) {
    bool beaten = false;
    for (std::size_t j = 0; j < size; ++j) {
      const bool no_worse = rows[j].density <= rows[i].density && rows[j].rel_l2 <= rows[i].rel_l2;
      const bool equal = rows[j].density == rows[i].density && rows[j].rel_l2 == rows[i].rel_l2;
      beaten = beaten || (no_worse && (!equal || j < i));
    }
    due[i] = !beaten;
  }
  const Front front = find_front(table(rows), {});
  std::vector<bool> got(size);
  for (const std::size_t s : front.settings) got[s] = true;
  RC_ASSERT(got == due);
}

// On the scaled axes the points lie at (0, 1), (.25, .2), (.5, .1), (1, 0): 1 - x - y is .55 for
// the second and .4 for the third.
TEST(Knee, IsTheFarthestBelowTheChord) {
  const auto results = table({{0.2, 1.0, 0}, {0.4, 0.2, 0}, {0.6, 0.1, 0}, {1.0, 0.0, 0}});
  EXPECT_EQ(find_front(results, {}).knee, 1u);
}

TEST(Knee, IsNotThereOnAStraightOrShortFront) {
  EXPECT_FALSE(find_front(table({{0.25, 1.0, 0}, {0.5, 0.5, 0}, {0.75, 0.0, 0}}), {}).knee);
  EXPECT_FALSE(find_front(table({{0.2, 1.0, 0}, {1.0, 0.0, 0}}), {}).knee);
  EXPECT_FALSE(find_front(table({{0.2, 1.0, 0}, {0.5, 0.9, 0}, {1.0, 0.0, 0}}), {}).knee);
}

TEST(Knee, LeavesInfiniteValuesOut) {
  auto results = table({{0.2, 0, 0}, {0.4, 0, 0}, {0.6, 0, 0}, {1.0, 0, 0}});
  const double psnr[] = {10.0, 26.0, 30.0, kInf};
  for (std::size_t i = 0; i < 4; ++i) {
    results.values[i][static_cast<std::size_t>(Metric::kPsnr)] = psnr[i];
  }
  FrontRequest request;
  request.metric = Metric::kPsnr;
  const Front front = find_front(results, request);
  EXPECT_EQ(front.settings, (Settings{0, 1, 2, 3}));
  EXPECT_EQ(front.knee, 1u);
}

TEST(Best, IsTheFastestThatMeetsEverything) {
  const auto results =
      table({{1.0, 0.0, 1.0}, {0.5, 0.2, 0.95}, {0.4, 0.3, 0.96}, {0.3, 0.4, 0.94}});
  FrontRequest request;
  request.requirements = {parse_requirement("recall>=0.95"), parse_requirement("rel_l2<0.3")};
  const Front front = find_front(results, request);
  EXPECT_EQ(front.best, 1u);
  EXPECT_EQ(front.meets, (std::vector<bool>{true, true, false, false}));
  EXPECT_FALSE(front.nearest);
}

TEST(Best, IsMissingWithTheNearestNamedWhereNoneMeets) {
  const auto results = table({{0.5, 0.2, 0.9}, {0.4, 0.3, 0.8}, {0.3, 0.4, kNan}});
  FrontRequest request;
  request.requirements = {parse_requirement("recall>=0.95"), parse_requirement("density<=0.45")};
  const Front front = find_front(results, request);
  EXPECT_FALSE(front.best);
  // .05/.95 + .05/.45 = .164 against .15/.95 = .158
  EXPECT_EQ(front.nearest, 1u);
}

TEST(Requirement, IsReadAndJudged) {
  const Requirement r = parse_requirement(" speedup > 2.5 ");
  EXPECT_EQ(r.text(), "speedup>2.5");
  EXPECT_TRUE(r.met_by(2.6));
  EXPECT_FALSE(r.met_by(2.5));
  EXPECT_FALSE(r.met_by(kNan));
  EXPECT_TRUE(parse_requirement("lse_shift<=1e-3").met_by(1e-3));
}

TEST(Requirement, NamesWhatIsWrong) {
  EXPECT_NE(complaint("recal>=0.9").find("'recal'"), std::string::npos);
  EXPECT_NE(complaint("recal>=0.9").find("recall_p01"), std::string::npos);
  EXPECT_NE(complaint("recall=0.9").find("NAME>=NUMBER"), std::string::npos);
  EXPECT_NE(complaint("recall>=high").find("'high' is no number"), std::string::npos);
  EXPECT_NE(complaint("recall>=").find("no number"), std::string::npos);
  EXPECT_NE(complaint("recall>=inf").find("no number"), std::string::npos);
}

TEST(Front, OverAMetricWithoutABetterSideIsRefused) {
  FrontRequest request;
  request.metric = Metric::kEntropyDense;
  EXPECT_THROW(find_front(table({{1.0, 0.0, 1.0}}), request), Error);
}

TEST(Pooled, IsTheMeanOrTheExtremeAndLeavesNanOut) {
  SweepResults results = table({{1.0, 0.0, 1.0}});
  results.samples.resize(3);
  results.values.resize(3);
  const auto set = [&](Metric metric, double a, double b, double c) {
    const double values[] = {a, b, c};
    for (std::size_t i = 0; i < 3; ++i)
      results.values[i][static_cast<std::size_t>(metric)] = values[i];
  };
  set(Metric::kRecallMean, 0.5, kNan, 1.0);
  set(Metric::kRecallMin, 0.5, 0.25, 1.0);
  set(Metric::kLseShiftMax, 0.5, 4.0, 1.0);
  set(Metric::kCosineMin, kNan, kNan, kNan);
  EXPECT_EQ(pooled(results, 0, Metric::kRecallMean), 0.75);
  EXPECT_EQ(pooled(results, 0, Metric::kRecallMin), 0.25);
  EXPECT_EQ(pooled(results, 0, Metric::kLseShiftMax), 4.0);
  EXPECT_TRUE(std::isnan(pooled(results, 0, Metric::kCosineMin)));
  EXPECT_EQ(pooled(results, 0, Metric::kRecallMin, {0, 2}), 0.5);
}

}  // namespace
}  // namespace lvsa::analysis
