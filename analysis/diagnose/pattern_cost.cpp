#include "analysis/diagnose/pattern_cost.hpp"

#include <cmath>

#include "analysis/maps/mask_map.hpp"
#include "core/pattern/schedule.hpp"

namespace lvsa::analysis {
namespace {

struct RateRow {
  std::int64_t frames;
  std::int64_t patches;
  std::int64_t heads;
  MeasuredRates rates;
};

constexpr RateRow kRates[] = {
    {41, 1560, 12, {582, 233}}, {81, 1560, 12, {586, 234}}, {121, 1560, 12, {572, 234}},
    {81, 1560, 40, {566, 309}}, {49, 1560, 16, {581, 295}}, {65, 1560, 16, {583, 278}},
    {41, 3600, 12, {582, 395}},
};

double distance(const RateRow& row, std::int64_t heads, const FrameGrid& grid) {
  const auto apart = [](std::int64_t a, std::int64_t b) {
    return std::abs(std::log(static_cast<double>(a) / static_cast<double>(b)));
  };
  return apart(row.heads, heads) + apart(row.patches, grid.patches_per_frame) +
         0.25 * apart(row.frames, grid.frames);
}

}  // namespace

std::optional<MeasuredRates> measured_rates(const ModelPreset& model, const FrameGrid& grid) {
  if (model.head_dim != 128) return std::nullopt;
  const RateRow* nearest = nullptr;
  for (const RateRow& row : kRates) {
    if (!nearest || distance(row, model.heads, grid) < distance(*nearest, model.heads, grid)) {
      nearest = &row;
    }
  }
  return nearest->rates;
}

PatternCost pattern_cost(const Config& config, const Behaviour& behaviour, const FrameGrid& grid,
                         TextKind text, const ModelPreset* model) {
  const Schedule schedule = make_schedule(config, grid.frames);
  const FramePattern pattern =
      build_frame_pattern(pattern_spec(config, schedule, grid.frames, 0, behaviour));
  const MaskCounts counts = count_mask(pattern, grid, text);
  PatternCost cost;
  cost.grid = grid;
  cost.interval = schedule.interval.value_or(0);
  cost.window = config.latent_window_size();
  cost.anchors = static_cast<std::int64_t>(pattern.globals.size());
  cost.least_attended = counts.least_frames;
  cost.most_attended = counts.most_frames;
  cost.average_attended = counts.average_frames;
  if (schedule.automatic) {
    cost.budget = schedule.terms.budget;
    cost.target = schedule.terms.dense ? grid.frames : schedule.terms.target;
  }
  cost.frame_density = counts.frame_density;
  cost.token_density = counts.token_density;
  cost.speedup_bound = counts.speedup_bound();
  // At interval 1 nobody would run the loop: its rate there was not measured.
  if (model && cost.interval != 1) {
    if (const auto rates = measured_rates(*model, grid)) {
      cost.measured_speedup = cost.speedup_bound * rates->loop_useful_tflops / rates->dense_tflops;
    }
  }
  return cost;
}

}  // namespace lvsa::analysis
