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

/// Speedup over dense attention times token density: 1 for a kernel that runs a pattern at the rate
/// of dense attention.
struct KernelGain {
  double gain = 1.0;
  /// Where it was measured.
  std::int64_t frames = 0;
  std::int64_t patches = 0;
  std::int64_t heads = 0;
  std::int64_t head_dim = 0;
};
/// That of the kernel `cuda` of this project over cuDNN's dense attention, bf16 on one H200, of the
/// measured geometry that is nearest (ratios of P, then of T). Source: bench/notes_hopper.md, "The
/// same again, with raw samples". Nothing for head sizes that were not measured.
std::optional<KernelGain> measured_gain(std::int64_t head_dim, const FrameGrid& grid);

}  // namespace lvsa::analysis
