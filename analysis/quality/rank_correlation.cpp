#include "analysis/quality/rank_correlation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace lvsa::analysis {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<std::size_t> order_of(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  return order;
}

// Sum of m (m - 1) / 2 over the lengths of the runs of equal values.
template <class Same>
std::int64_t tied_pairs(std::size_t count, const Same& same) {
  std::int64_t pairs = 0, run = 1;
  for (std::size_t i = 1; i <= count; ++i) {
    if (i < count && same(i - 1, i)) {
      ++run;
    } else {
      pairs += run * (run - 1) / 2;
      run = 1;
    }
  }
  return pairs;
}

// Sorts and counts the swaps of neighbours that this takes.
std::int64_t merge_swaps(std::vector<double>& values, std::vector<double>& spare, std::size_t low,
                         std::size_t high) {
  if (high - low < 2) return 0;
  const std::size_t middle = low + (high - low) / 2;
  std::int64_t swaps =
      merge_swaps(values, spare, low, middle) + merge_swaps(values, spare, middle, high);
  std::size_t left = low, right = middle;
  for (std::size_t at = low; at < high; ++at) {
    if (right < high && (left == middle || values[right] < values[left])) {
      swaps += static_cast<std::int64_t>(middle - left);
      spare[at] = values[right++];
    } else {
      spare[at] = values[left++];
    }
  }
  std::copy(spare.begin() + static_cast<std::ptrdiff_t>(low),
            spare.begin() + static_cast<std::ptrdiff_t>(high),
            values.begin() + static_cast<std::ptrdiff_t>(low));
  return swaps;
}

}  // namespace

std::vector<double> midranks(std::span<const double> values) {
  const std::vector<std::size_t> order = order_of(values);
  std::vector<double> ranks(values.size());
  for (std::size_t low = 0; low < order.size();) {
    std::size_t high = low + 1;
    while (high < order.size() && values[order[high]] == values[order[low]]) ++high;
    const double rank = 0.5 * static_cast<double>(low + 1 + high);
    for (std::size_t i = low; i < high; ++i) ranks[order[i]] = rank;
    low = high;
  }
  return ranks;
}

double spearman_rho(std::span<const double> x, std::span<const double> y) {
  const std::vector<double> a = midranks(x), b = midranks(y);
  const double mean = 0.5 * static_cast<double>(a.size() + 1);
  double ab = 0.0, aa = 0.0, bb = 0.0;  // sums of quarters: exact
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean) * (b[i] - mean);
    aa += (a[i] - mean) * (a[i] - mean);
    bb += (b[i] - mean) * (b[i] - mean);
  }
  return aa == 0.0 || bb == 0.0 ? kNaN : std::clamp(ab / std::sqrt(aa * bb), -1.0, 1.0);
}

double kendall_tau_b(std::span<const double> x, std::span<const double> y) {
  const std::size_t n = x.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return x[a] != x[b] ? x[a] < x[b] : (y[a] != y[b] ? y[a] < y[b] : a < b);
  });
  const auto same_x = [&](std::size_t a, std::size_t b) { return x[order[a]] == x[order[b]]; };
  const std::int64_t tied_x = tied_pairs(n, same_x);
  const std::int64_t tied_both = tied_pairs(
      n, [&](std::size_t a, std::size_t b) { return same_x(a, b) && y[order[a]] == y[order[b]]; });
  std::vector<double> sorted(n), spare(n);
  for (std::size_t i = 0; i < n; ++i) sorted[i] = y[order[i]];
  const std::int64_t discordant = merge_swaps(sorted, spare, 0, n);
  const std::int64_t tied_y =
      tied_pairs(n, [&](std::size_t a, std::size_t b) { return sorted[a] == sorted[b]; });
  const auto count = static_cast<std::int64_t>(n);
  const std::int64_t all = count * (count - 1) / 2;
  if (all == tied_x || all == tied_y) return kNaN;
  const std::int64_t score = all - tied_x - tied_y + tied_both - 2 * discordant;
  const double scale =
      std::sqrt(static_cast<double>(all - tied_x)) * std::sqrt(static_cast<double>(all - tied_y));
  return std::clamp(static_cast<double>(score) / scale, -1.0, 1.0);
}

double partial_rho(double xy, double xz, double yz) {
  const double left = (1.0 - xz * xz) * (1.0 - yz * yz);
  if (!(left > 1e-12)) return kNaN;
  return std::clamp((xy - xz * yz) / std::sqrt(left), -1.0, 1.0);
}

std::vector<double> holm_adjusted(std::span<const double> p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!std::isnan(p[i])) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size(), kNaN);
  double most = 0.0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    most = std::max(most, std::min(1.0, static_cast<double>(order.size() - k) * p[order[k]]));
    adjusted[order[k]] = most;
  }
  return adjusted;
}

}  // namespace lvsa::analysis
