#include "analysis/speed/median_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace lvsa::analysis {
namespace {

double tail_sum(std::size_t n, double success, std::size_t from, std::size_t to) {
  const double log_odds = std::log(success) - std::log1p(-success);
  // log of C(n, i) p^i (1-p)^(n-i), from i = 0 upwards.
  double log_term = static_cast<double>(n) * std::log1p(-success);
  double sum = 0.0;
  for (std::size_t i = 0; i <= to; ++i) {
    if (i >= from) sum += std::exp(log_term);
    log_term += std::log(static_cast<double>(n - i) / static_cast<double>(i + 1)) + log_odds;
  }
  return sum;
}

}  // namespace

double median_of(std::span<const double> values) {
  std::vector<double> copy(values.begin(), values.end());
  const std::size_t half = copy.size() / 2;
  const auto middle = copy.begin() + static_cast<std::ptrdiff_t>(half);
  std::nth_element(copy.begin(), middle, copy.end());
  if (copy.size() % 2 == 1) return *middle;
  return 0.5 * (*middle + *std::max_element(copy.begin(), middle));
}

double binomial_tail(std::size_t n, double success, std::size_t least) {
  if (least == 0) return 1.0;
  if (least > n || success <= 0.0) return 0.0;
  if (success >= 1.0) return 1.0;
  // The shorter end is summed; small results keep their digits.
  const bool upper = static_cast<double>(least) > static_cast<double>(n) * success;
  const double sum =
      upper ? tail_sum(n, success, least, n) : 1.0 - tail_sum(n, success, 0, least - 1);
  return std::clamp(sum, 0.0, 1.0);
}

std::size_t effective_count(std::span<const double> values) {
  const std::size_t n = values.size();
  const double middle = median_of(values);
  std::vector<double> sign(n);
  for (std::size_t i = 0; i < n; ++i) {
    sign[i] = values[i] > middle ? 1.0 : values[i] < middle ? -1.0 : 0.0;
  }
  const double mean = std::accumulate(sign.begin(), sign.end(), 0.0) / static_cast<double>(n);
  double variance = 0.0;
  for (double& s : sign) {
    s -= mean;
    variance += s * s;
  }
  if (variance <= 0.0) return n;
  const auto lags = static_cast<std::size_t>(std::cbrt(static_cast<double>(n)));
  double inflation = 1.0;
  for (std::size_t lag = 1; lag <= lags && lag < n; ++lag) {
    double sum = 0.0;
    for (std::size_t i = lag; i < n; ++i) sum += sign[i] * sign[i - lag];
    const double weight = 1.0 - static_cast<double>(lag) / static_cast<double>(lags + 1);
    inflation += 2.0 * weight * sum / variance;
  }
  const double effective = static_cast<double>(n) / std::max(1.0, inflation);
  return std::max<std::size_t>(1, static_cast<std::size_t>(effective));
}

MedianSample::MedianSample(std::span<const double> values, std::size_t effective)
    : sorted_(values.begin(), values.end()), median_(median_of(values)), effective_(effective) {
  std::sort(sorted_.begin(), sorted_.end());
}

MedianSample::MedianSample(std::span<const double> values)
    : MedianSample(values, effective_count(values)) {}

MedianSample MedianSample::independent(std::span<const double> values) {
  return {values, values.size()};
}

// `beyond`: values on the side where the median is said to be, c included.
double MedianSample::p_of(std::size_t beyond) const {
  const std::size_t n = sorted_.size();
  const double share = static_cast<double>(beyond) / static_cast<double>(n);
  const auto scaled = static_cast<std::size_t>(
      std::ceil(share * static_cast<double>(effective_) - 1e-9));  // rounded against a rejection
  const double sign_test = binomial_tail(effective_, 0.5, effective_ - scaled);
  const double bootstrap = binomial_tail(effective_, share, (effective_ + 1) / 2);
  return std::max(sign_test, bootstrap);
}

double MedianSample::p_at_most(double c) const {
  const auto end = std::upper_bound(sorted_.begin(), sorted_.end(), c);
  return p_of(static_cast<std::size_t>(end - sorted_.begin()));
}

double MedianSample::p_at_least(double c) const {
  const auto begin = std::lower_bound(sorted_.begin(), sorted_.end(), c);
  return p_of(static_cast<std::size_t>(sorted_.end() - begin));
}

RatioEstimate MedianSample::interval(double level) const {
  const double side = (1.0 - level) / 2.0;
  const std::size_t n = sorted_.size();
  RatioEstimate estimate{median_, 0.0, std::numeric_limits<double>::infinity(), level};
  if (p_of(0) > side) return estimate;
  // Values that lie beyond an end: the largest number that p_of(), which rises, still excludes.
  std::size_t beyond = 0;
  for (std::size_t above = (n + 1) / 2; above - beyond > 1;) {
    const std::size_t middle = beyond + (above - beyond) / 2;
    (p_of(middle) <= side ? beyond : above) = middle;
  }
  estimate.low = sorted_[beyond];
  estimate.high = sorted_[n - 1 - beyond];
  return estimate;
}

std::vector<HolmStep> holm(std::span<const double> p, double alpha) {
  const std::size_t count = p.size();
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t x, std::size_t y) { return p[x] < p[y]; });
  std::vector<HolmStep> steps(count);
  bool going_on = true;
  std::size_t left = count;
  for (const std::size_t i : order) {
    steps[i].threshold = alpha / static_cast<double>(left);
    going_on = going_on && p[i] <= steps[i].threshold;
    steps[i].rejected = going_on;
    // What stands behind the first that stays is held against the same threshold.
    if (going_on && left > 1) --left;
  }
  return steps;
}

double kruskal_wallis(std::span<const double> values, std::span<const std::int64_t> group) {
  const std::size_t n = values.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t x, std::size_t y) { return values[x] < values[y]; });
  std::vector<double> rank_sum;
  std::vector<double> size;
  for (std::size_t at = 0; at < n;) {
    std::size_t end = at;  // equal values share the mean of their ranks
    while (end < n && values[order[end]] == values[order[at]]) ++end;
    const double rank = 0.5 * static_cast<double>(at + 1 + end);
    for (; at < end; ++at) {
      const auto g = static_cast<std::size_t>(group[order[at]]);
      if (g >= size.size()) {
        size.resize(g + 1, 0.0);
        rank_sum.resize(g + 1, 0.0);
      }
      size[g] += 1.0;
      rank_sum[g] += rank;
    }
  }
  double groups = 0.0;
  double sum = 0.0;
  for (std::size_t g = 0; g < size.size(); ++g) {
    if (size[g] == 0.0) continue;
    groups += 1.0;
    sum += rank_sum[g] * rank_sum[g] / size[g];
  }
  if (groups < 2.0) return 1.0;
  const auto count = static_cast<double>(n);
  const double h = 12.0 / (count * (count + 1.0)) * sum - 3.0 * (count + 1.0);
  const double freedom = groups - 1.0;
  const double spread = 2.0 / (9.0 * freedom);
  const double z = (std::cbrt(std::max(0.0, h) / freedom) - (1.0 - spread)) / std::sqrt(spread);
  return 0.5 * std::erfc(z / std::sqrt(2.0));
}

}  // namespace lvsa::analysis
