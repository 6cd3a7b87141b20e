#include "core/pattern/keyframe_interval.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace lvsa {
namespace {

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return a / b + (a % b > 0 ? 1 : 0); }

// One IEEE double product, truncated. Beyond the 64-bit range only the side matters.
std::int64_t truncated_product(std::int64_t reference, double scale) {
  const double product = static_cast<double>(reference) * scale;
  if (std::isnan(product)) {
    throw Error(ErrorKind::kValue,
                fmt::format("sparsity scale {} gives no budget; a number is due", scale));
  }
  if (std::isinf(product)) {
    throw Error(ErrorKind::kOverflow,
                fmt::format("sparsity scale {} gives an infinite budget", scale));
  }
  constexpr double kLimit = 0x1p62;
  return static_cast<std::int64_t>(std::clamp(std::trunc(product), -kLimit, kLimit));
}

// |{0 .. n-1} u {0, k, 2k, .. < T}|: the first n frames, and the multiples of k behind them.
std::int64_t global_count(std::int64_t frames, std::int64_t n_first, std::int64_t k) {
  return n_first + divide_up(frames, k) - divide_up(n_first, k);
}

std::int64_t strict_interval(std::int64_t frames, std::int64_t n_first, std::int64_t target) {
  for (std::int64_t k = frames; k >= 1; --k) {
    if (global_count(frames, n_first, k) >= target) return k;
  }
  return 1;
}

}  // namespace

IntervalTerms keyframe_interval_terms(const IntervalInputs& in) {
  constexpr std::int64_t kLargest = std::int64_t{1} << 60;  // sums of a few stay within 64 bits
  for (const std::int64_t frames : {in.frames, in.window_frames, in.n_first_frames}) {
    if (frames >= -kLargest && frames <= kLargest) continue;
    throw Error(ErrorKind::kOverflow,
                fmt::format("keyframe interval of {} frames; at most 2^60 are due", frames));
  }
  IntervalTerms terms;
  terms.budget =
      std::max(in.n_first_frames + 1, truncated_product(in.reference_frames, in.sparsity_scale));
  if (in.frames <= terms.budget) {
    terms.dense = true;
    return terms;
  }
  terms.target = std::max(in.n_first_frames, std::min(terms.budget, in.frames) -
                                                 std::min(2 * in.window_frames + 1, in.frames));
  const std::int64_t n_first = std::clamp<std::int64_t>(in.n_first_frames, 0, in.frames);
  terms.strict = strict_interval(in.frames, n_first, terms.target);

  const std::int64_t mandatory = 2 * in.window_frames + in.n_first_frames;
  const std::int64_t spare = terms.budget - mandatory;
  const auto quotient = static_cast<double>(std::max(in.frames - mandatory, spare)) /
                        static_cast<double>(std::max<std::int64_t>(spare, 1));
  terms.fallback = static_cast<std::int64_t>(std::ceil(quotient));
  terms.interval = std::max(terms.strict, terms.fallback);
  return terms;
}

std::int64_t keyframe_interval(const IntervalInputs& inputs) {
  return keyframe_interval_terms(inputs).interval;
}

}  // namespace lvsa
