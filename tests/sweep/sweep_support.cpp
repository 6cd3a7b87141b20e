#include "tests/sweep/sweep_support.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "analysis/sweep/sweep_axes.hpp"

namespace lvsa::analysis {
namespace {

SweepPlan plain_plan(const SampleSource& source) {
  SweepAxes axes;
  axes.window = {0, 1, 2, 3};
  axes.interval = {3};
  axes.rotate = {0, 1};
  SweepPlan plan = plan_of_source(source, grid_settings(axes, 7), 4, 1);
  plan.tool = "test";
  plan.patterns_per_unit = 2;
  return plan;
}

}  // namespace

PlainSource::PlainSource(std::int64_t layers) {
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    for (std::int64_t head = 0; head < 2; ++head) ids_.push_back({"plain", layer, 4, 0, head});
  }
  ExcludedSample left;
  left.id.source = "plain";
  left.id.layer = 9;
  left.reason = "a \"reason\", with a comma";
  excluded_.push_back(left);
}

Sample PlainSource::load(std::size_t index) const {
  Sample sample;
  sample.id = ids_[index];
  sample.grid = grid(index);
  sample.q.shape = {1, sample.grid.seq_len(), 1, 16};
  return sample;
}

std::vector<MetricValues> plain_values(const Sample& sample,
                                       std::span<const FramePattern> patterns) {
  std::vector<MetricValues> values;
  for (const FramePattern& pattern : patterns) {
    MetricValues metrics{};
    for (std::size_t m = 0; m < kMetricCount; ++m) {
      const auto id = static_cast<double>(sample.id.layer * 2 + sample.id.head + 1);
      metrics[m] = id / (static_cast<double>(pattern.frame_pairs()) +
                         0.1 * static_cast<double>(pattern.globals.back())) +
                   static_cast<double>(m);
    }
    values.push_back(metrics);
  }
  return values;
}

PlainSweep::PlainSweep(std::int64_t layers)
    : source(layers),
      plan(plain_plan(source)),
      patterns(plan.settings, plan.grid.frames),
      units(plan, patterns) {}

UnitResult PlainSweep::compute(std::int64_t unit) const {
  return UnitWorker(source, patterns, units, plain_values).compute(unit);
}

SweepResults PlainSweep::results() const {
  return finish_sweep(plan, patterns, units,
                      [&](std::int64_t unit) { return compute(unit).values; });
}

std::string scratch_folder() {
  const ::testing::TestInfo& test = *::testing::UnitTest::GetInstance()->current_test_info();
  const std::string folder =
      ::testing::TempDir() + "lvsa-" + test.test_suite_name() + "-" + test.name();
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

}  // namespace lvsa::analysis
