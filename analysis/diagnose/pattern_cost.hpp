#pragma once
// What the pattern of a grid costs, and what it gains over dense attention.

#include "analysis/diagnose/diagnosis.hpp"
#include "core/config/config.hpp"

namespace lvsa::analysis {

/// Throws what make_schedule() and build_frame_pattern() throw. `model` unset: without rates.
PatternCost pattern_cost(const Config& config, const Behaviour& behaviour, const FrameGrid& grid,
                         TextKind text, const ModelPreset* model);

/// Rates measured on one H200 in bf16 with head size 128, medians, of the row that is nearest to
/// the geometry: dense attention (cuDNN), and the per-frame loop over it that the plugin's backend
/// `sdpa` runs. Source: bench/peers.py.
struct MeasuredRates {
  double dense_tflops = 0.0;
  double loop_useful_tflops = 0.0;
};
/// Nothing for other head sizes than 128.
std::optional<MeasuredRates> measured_rates(const ModelPreset& model, const FrameGrid& grid);

}  // namespace lvsa::analysis
