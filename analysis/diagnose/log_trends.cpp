// How memory and step times go.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/diagnose/log_verdict.hpp"

namespace lvsa::analysis {
namespace {

double median(std::vector<double> values) {
  if (values.empty()) return 0.0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::vector<double> part(const std::vector<double>& values, std::size_t from, std::size_t count) {
  const auto first = values.begin() + static_cast<std::ptrdiff_t>(from);
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

// Least squares over 0, 1, 2, …
double slope(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double above = 0.0;
  double below = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x = static_cast<double>(i) - (n - 1.0) / 2.0;
    above += x * (values[i] - mean);
    below += x * x;
  }
  return below > 0.0 ? above / below : 0.0;
}

// The index from which values lie on another level, or none: the split that leaves the least
// squared distance to the means of both sides, if it leaves less than 15 % of it (a steady rise
// leaves a quarter).
std::ptrdiff_t jump_of(const std::vector<double>& values) {
  const std::size_t n = values.size();
  double sum = 0.0;
  double squares = 0.0;
  for (const double value : values) {
    sum += value;
    squares += value * value;
  }
  const double whole = squares - sum * sum / static_cast<double>(n);
  double left = 0.0;
  double best = whole;
  std::ptrdiff_t at = -1;
  for (std::size_t i = 1; i + 1 < n; ++i) {
    left += values[i - 1];
    const auto k = static_cast<double>(i);
    const double right = sum - left;
    const double rest = squares - left * left / k - right * right / (static_cast<double>(n) - k);
    if (rest < best) {
      best = rest;
      at = static_cast<std::ptrdiff_t>(i);
    }
  }
  return whole > 0.0 && best < 0.15 * whole && at >= 2 ? at : -1;
}

}  // namespace

MemoryTrend memory_trend(const LogSource& source) {
  MemoryTrend trend;
  trend.source = source.name;
  trend.samples = source.memory_samples;
  std::vector<double> values;
  for (std::size_t i = 0; i < source.memory.size(); ++i) {
    trend.peak_gb = std::max(trend.peak_gb, source.memory[i].peak_gb);
    if (i >= 2 || source.memory.size() < 4) values.push_back(source.memory[i].allocated_gb);
  }
  if (values.empty()) return trend;
  const std::size_t quarter = std::max<std::size_t>(1, values.size() / 4);
  const std::vector<double> first = part(values, 0, quarter);
  const std::vector<double> last = part(values, values.size() - quarter, quarter);
  trend.first_gb = median(first);
  trend.last_gb = median(last);
  const double thinned =
      static_cast<double>(trend.samples) / static_cast<double>(source.memory.size());
  trend.mb_per_step = 1000.0 * slope(values) / thinned;
  const double growth = trend.last_gb - trend.first_gb;
  trend.grows =
      values.size() >= 8 && growth > 0.1 && growth > 0.02 * trend.first_gb &&
      *std::min_element(last.begin(), last.end()) > *std::max_element(first.begin(), first.end());
  return trend;
}

TimeTrend time_trend(const LogSource& source, std::size_t request) {
  TimeTrend trend;
  trend.source = source.name;
  trend.request = request;
  const LogRequest& r = source.requests[request];
  trend.steps = r.timed_steps;
  std::vector<double> values(r.step_seconds.begin(), r.step_seconds.end());
  if (values.size() > 3) values.erase(values.begin());  // compilation, and the pause before
  if (values.empty()) return trend;
  const std::size_t quarter = std::max<std::size_t>(1, values.size() / 4);
  trend.first_s = median(part(values, 0, quarter));
  trend.last_s = median(part(values, values.size() - quarter, quarter));
  trend.median_s = median(values);
  trend.grows = values.size() >= 6 && trend.last_s > 1.15 * trend.first_s;
  if (trend.grows) {
    const std::ptrdiff_t at = jump_of(values);
    if (at > 0) {
      trend.jump_step = std::max<std::int64_t>(r.first_step, 1) - 1 + at +
                        static_cast<std::int64_t>(r.step_seconds.size() - values.size());
    }
  }
  return trend;
}

}  // namespace lvsa::analysis
