#include "reference/attention/shadow_scores.hpp"

#include <cmath>

#include "reference/attention/simd_level.hpp"

#ifndef LVSA_SIMD_X86
#define LVSA_SIMD_X86 0
#endif

namespace lvsa::reference {
namespace {

constexpr double kUnit = 0x1p-24;

}  // namespace

void ShadowPanel::set(std::int64_t i, const double* key) {
  for (std::int64_t d = 0; d < dim_; ++d) {
    values_[static_cast<std::size_t>(d * kShadowPanel + i)] = key[d];
  }
}

const ShadowLoops& shadow_loops() {
#if LVSA_SIMD_X86
  static const SimdLevel level = best_simd_level();
  if (level == SimdLevel::kAvx512) return kShadowAvx512Loops;
  if (level == SimdLevel::kAvx2) return kShadowAvx2Loops;
#endif
  return kShadowBaselineLoops;
}

void panel_scores(const ShadowLoops& loops, const ShadowPanel& panel, const double* query,
                  double scale, const ShadowErrors& errors, double* scores, double* score_errors) {
  const std::int64_t dim = panel.dim();
  double sum[kShadowPanel];
  double magnitude[kShadowPanel];
  double partial[kShadowPanel];
  const ShadowScoreArgs args = {
      query, panel.data(), dim,    errors.score_step > 0 ? errors.score_step : dim,
      sum,   magnitude,    partial};
  loops.score(&args);
  const double size = std::fabs(scale);
  const double any_order = 2.0 * static_cast<double>(dim) * errors.accumulator;
  for (int i = 0; i < kShadowPanel; ++i) {
    const double dot_error =
        errors.score_step > 0
            ? errors.accumulator * (partial[i] + 2.0 * magnitude[i]) + kUnit * magnitude[i]
            : any_order * magnitude[i];
    scores[i] = scale * sum[i];
    // The product with the factor is rounded, and so is the one that the maximum comes from.
    score_errors[i] =
        size * dot_error + (2.0 + errors.factor_roundings) * kUnit * std::fabs(scores[i]);
  }
}

}  // namespace lvsa::reference
