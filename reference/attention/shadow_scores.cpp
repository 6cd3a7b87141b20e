#include "reference/attention/shadow_scores.hpp"

#include <algorithm>
#include <cmath>

namespace lvsa::reference {
namespace {

constexpr double kUnit = 0x1p-24;

}  // namespace

void ShadowPanel::set(std::int64_t i, const std::vector<double>& key) {
  for (std::int64_t d = 0; d < dim_; ++d) {
    values_[static_cast<std::size_t>(d * kShadowPanel + i)] = key[static_cast<std::size_t>(d)];
  }
}

void panel_scores(const ShadowPanel& panel, const double* query, double scale,
                  const ShadowErrors& errors, double* scores, double* score_errors) {
  const std::int64_t dim = panel.dim();
  const std::int64_t step = errors.score_step > 0 ? errors.score_step : dim;
  double sum[kShadowPanel] = {};
  double magnitude[kShadowPanel] = {};
  double partial[kShadowPanel] = {};  // sum of |sums so far| where a step begins
  const double* key = panel.data();
  for (std::int64_t first = 0; first < dim; first += step) {
    const std::int64_t last = std::min(first + step, dim);
    for (int i = 0; i < kShadowPanel; ++i) partial[i] += std::fabs(sum[i]);
    for (std::int64_t d = first; d < last; ++d, key += kShadowPanel) {
      for (int i = 0; i < kShadowPanel; ++i) {
        const double product = query[d] * key[i];
        sum[i] += product;
        magnitude[i] += std::fabs(product);
      }
    }
  }
  const double size = std::fabs(scale);
  const double any_order = 2.0 * static_cast<double>(dim) * errors.accumulator;
  for (int i = 0; i < kShadowPanel; ++i) {
    const double dot_error =
        errors.score_step > 0
            ? errors.accumulator * (partial[i] + 2.0 * magnitude[i]) + kUnit * magnitude[i]
            : any_order * magnitude[i];
    scores[i] = scale * sum[i];
    // The product with the factor is rounded, and so is the one that the maximum comes from.
    score_errors[i] = size * dot_error + 2.0 * kUnit * std::fabs(scores[i]);
  }
}

}  // namespace lvsa::reference
