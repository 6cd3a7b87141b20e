#include "analysis/sweep/front.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

/// A setting with both coordinates turned so that less is better.
struct Point {
  double cost;
  double loss;
  std::size_t setting;
};

std::vector<MetricValues> pool_all(const SweepResults& results,
                                   const std::vector<std::size_t>& chosen) {
  std::vector<MetricValues> values(results.settings.size());
  for (std::size_t s = 0; s < values.size(); ++s) {
    for (std::size_t m = 0; m < kMetricCount; ++m) {
      values[s][m] = pooled(results, s, static_cast<Metric>(m), chosen);
    }
  }
  return values;
}

double cost_of(const SettingFigures& figures, FrontCost cost) {
  return cost == FrontCost::kTokenDensity ? figures.token_density : -figures.expected_speedup;
}

// What no other setting beats in one coordinate without losing in the other; of settings that are
// equal in both, the first stands for all.
std::vector<Point> pareto(std::vector<Point> points) {
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) {
    return std::tie(a.cost, a.loss, a.setting) < std::tie(b.cost, b.loss, b.setting);
  });
  std::vector<Point> front;
  for (const Point& point : points) {
    if (front.empty() || point.loss < front.back().loss) front.push_back(point);
  }
  return front;
}

// The point of the front that is farthest below the chord between its ends, both axes scaled to
// the front's extent.
std::optional<std::size_t> knee_of(const std::vector<Point>& front) {
  std::vector<Point> finite;
  for (const Point& point : front) {
    if (std::isfinite(point.loss)) finite.push_back(point);
  }
  if (finite.size() < 3) return std::nullopt;
  const Point& first = finite.front();
  const Point& last = finite.back();
  std::optional<std::size_t> knee;
  double most = 0.0;
  for (const Point& point : finite) {
    const double x = (point.cost - first.cost) / (last.cost - first.cost);
    const double y = (point.loss - last.loss) / (first.loss - last.loss);
    const double below = 1.0 - x - y;
    if (below <= most) continue;
    most = below;
    knee = point.setting;
  }
  return knee;
}

double shortfall(const Requirement& requirement, double value) {
  if (requirement.met_by(value)) return 0.0;
  if (std::isnan(value)) return INFINITY;
  const double unit = requirement.bound == 0.0 ? 1.0 : std::abs(requirement.bound);
  return std::abs(value - requirement.bound) / unit;
}

void judge_requirements(const SweepResults& results, const FrontRequest& request, double sign,
                        Front& front) {
  if (request.requirements.empty()) return;
  const auto metric = static_cast<std::size_t>(request.metric);
  using Rank = std::tuple<double, double, double, std::size_t>;
  std::optional<Rank> best;
  std::optional<Rank> nearest;
  for (std::size_t s = 0; s < results.settings.size(); ++s) {
    const SettingFigures& figures = results.figures[s];
    double lacking = 0.0;
    bool meets = true;
    for (const Requirement& requirement : request.requirements) {
      const double value = required_value(requirement, figures, front.pooled[s]);
      meets = meets && requirement.met_by(value);
      lacking += shortfall(requirement, value);
    }
    front.meets.push_back(meets);
    const double loss = sign * front.pooled[s][metric];
    const double ordered = std::isnan(loss) ? INFINITY : loss;
    if (meets) {
      const Rank rank{-figures.expected_speedup, figures.token_density, ordered, s};
      if (!best || rank < *best) best = rank;
    } else {
      const Rank rank{lacking, -figures.expected_speedup, ordered, s};
      if (!nearest || rank < *nearest) nearest = rank;
    }
  }
  if (best) front.best = std::get<3>(*best);
  if (!best && nearest) front.nearest = std::get<3>(*nearest);
}

}  // namespace

Front find_front(const SweepResults& results, const FrontRequest& request,
                 const std::vector<std::size_t>& chosen) {
  const MetricInfo& metric = info(request.metric);
  if (metric.better == Better::kNeither) {
    throw Error(ErrorKind::kValue,
                fmt::format("a front over {}: more of it is neither better nor worse; recall or "
                            "rel_l2 would do",
                            metric.name));
  }
  const double sign = metric.better == Better::kLower ? 1.0 : -1.0;
  Front front;
  front.pooled = pool_all(results, chosen);
  std::vector<Point> points;
  for (std::size_t s = 0; s < results.settings.size(); ++s) {
    const double loss = sign * front.pooled[s][static_cast<std::size_t>(request.metric)];
    if (!std::isnan(loss)) points.push_back({cost_of(results.figures[s], request.cost), loss, s});
  }
  const std::vector<Point> pareto_front = pareto(std::move(points));
  for (const Point& point : pareto_front) front.settings.push_back(point.setting);
  front.knee = knee_of(pareto_front);
  judge_requirements(results, request, sign, front);
  return front;
}

}  // namespace lvsa::analysis
