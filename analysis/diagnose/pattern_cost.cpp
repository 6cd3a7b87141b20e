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
  std::int64_t head_dim;
  MeasuredRates rates;  // zeros: not measured
  double gain;          // of the kernel `cuda`; each from one interleaved run beside cuDNN
};

// The gains: medians of bench/results/NVIDIA-H200/2026-11-21-019bfbe-peers.json.
constexpr RateRow kRates[] = {
    {41, 1560, 12, 128, {582, 233}, 1.109},  {81, 1560, 12, 128, {586, 234}, 1.156},
    {121, 1560, 12, 128, {572, 234}, 1.154}, {81, 1560, 40, 128, {566, 309}, 1.099},
    {49, 1560, 16, 128, {581, 295}, 1.122},  {65, 1560, 16, 128, {583, 278}, 1.154},
    {41, 3600, 12, 128, {582, 395}, 1.135},  {61, 880, 24, 128, {}, 1.147},
    {96, 920, 32, 128, {}, 0.975},           {25, 1350, 48, 64, {}, 0.975},
};

double apart(std::int64_t a, std::int64_t b) {
  return std::abs(std::log(static_cast<double>(a) / static_cast<double>(b)));
}

double distance(const RateRow& row, const FrameGrid& grid) {
  return apart(row.patches, grid.patches_per_frame) + 0.25 * apart(row.frames, grid.frames);
}

double distance(const RateRow& row, std::int64_t heads, const FrameGrid& grid) {
  return apart(row.heads, heads) + distance(row, grid);
}

}  // namespace

std::optional<KernelGain> measured_gain(std::int64_t head_dim, const FrameGrid& grid) {
  const RateRow* nearest = nullptr;
  for (const RateRow& row : kRates) {
    if (row.head_dim != head_dim) continue;
    if (!nearest || distance(row, grid) < distance(*nearest, grid)) nearest = &row;
  }
  if (!nearest) return std::nullopt;
  return KernelGain{nearest->gain, nearest->frames, nearest->patches, nearest->heads, head_dim};
}

std::optional<MeasuredRates> measured_rates(const ModelPreset& model, const FrameGrid& grid) {
  if (model.head_dim != 128) return std::nullopt;
  const RateRow* nearest = nullptr;
  for (const RateRow& row : kRates) {
    if (row.rates.dense_tflops == 0.0) continue;
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
