#include "reference/pattern/keyframe_interval.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "reference/pattern/frame_set.hpp"

namespace lvsa::reference {

namespace {

// Step 1: one IEEE product, then truncation. Beyond 2^62 the exact value no longer matters: it is
// only ever compared with frame counts, which are below 2^31.
std::int64_t truncated_product(std::int64_t reference_frames, double sparsity_scale) {
  const double product = static_cast<double>(reference_frames) * sparsity_scale;
  require(!std::isnan(product), "sparsity_scale is not a number");
  if (std::isinf(product)) {
    throw Error(ErrorKind::kOverflow, "reference_frames * sparsity_scale is infinite");
  }
  constexpr double kBeyondAnyFrameCount = 4611686018427387904.0;
  return static_cast<std::int64_t>(
      std::trunc(std::clamp(product, -kBeyondAnyFrameCount, kBeyondAnyFrameCount)));
}

// Step 4: the leading frames together with every k-th frame.
std::int64_t anchors_at_spacing(std::int64_t total_frames, std::int64_t n_first_frames,
                                std::int64_t k) {
  FrameSet anchors;
  for (std::int64_t f = 0; f < std::min(n_first_frames, total_frames); ++f) anchors.insert(f);
  for (std::int64_t f = 0; f < total_frames; f += k) anchors.insert(f);
  return static_cast<std::int64_t>(anchors.size());
}

std::int64_t largest_spacing_that_reaches(std::int64_t target, std::int64_t total_frames,
                                          std::int64_t n_first_frames) {
  for (std::int64_t k = total_frames; k >= 1; --k) {
    if (anchors_at_spacing(total_frames, n_first_frames, k) >= target) return k;
  }
  return 1;
}

}  // namespace

std::int64_t compute_auto_kfi(std::int64_t total_frames, std::int64_t window_size,
                              std::int64_t n_first_frames, std::int64_t reference_frames,
                              double sparsity_scale) {
  require_size("total_frames", total_frames, 1);
  require_size("window_size", window_size, 0);
  require_size("n_first_frames", n_first_frames, 0);

  // Steps 1 and 2.
  const std::int64_t budget =
      std::max(n_first_frames + 1, truncated_product(reference_frames, sparsity_scale));
  if (total_frames <= budget) return 1;

  // Steps 3 and 4.
  const std::int64_t target = std::max(
      n_first_frames, std::min(budget, total_frames) - std::min(2 * window_size + 1, total_frames));
  const std::int64_t strict = largest_spacing_that_reaches(target, total_frames, n_first_frames);

  // Step 5: a real quotient, rounded up.
  const std::int64_t mandatory = 2 * window_size + n_first_frames;
  const std::int64_t numerator = std::max(total_frames - mandatory, budget - mandatory);
  const std::int64_t denominator = std::max(budget - mandatory, std::int64_t{1});
  const auto fallback = static_cast<std::int64_t>(
      std::ceil(static_cast<double>(numerator) / static_cast<double>(denominator)));

  // Step 6. The published tuning guide names step 4 alone; the code takes the larger of the two.
  return std::max(strict, fallback);
}

}  // namespace lvsa::reference
