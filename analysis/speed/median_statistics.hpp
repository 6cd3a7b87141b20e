#pragma once
// Intervals and p-values for the median of a small sample, Holm's correction. docs/speed.md has the
// sources and the reasons.

#include <cstddef>
#include <span>
#include <vector>

#include "analysis/speed/speed_result.hpp"

namespace lvsa::analysis {

/// Of a sample that is not empty; of an even count the mean of the middle two.
double median_of(std::span<const double> values);

/// P(X >= least) for X binomial of n trials and this probability of success.
double binomial_tail(std::size_t n, double success, std::size_t least);

/// Independent values that tell as much of the median as these do: n / (1 + 2 * the sum of the
/// autocorrelations of sign(x - median), Bartlett's weights, up to lag n^(1/3)), never above n, at
/// least 1. `values` in the order of time.
std::size_t effective_count(std::span<const double> values);

/// The median of what the values were drawn from, by two methods at once, the more cautious of
/// which counts:
///  - the percentile bootstrap with all resamples, whose distribution is known exactly: the median
///    of a resample is at most c with probability P(Bin(n, k / n) >= (n + 1) / 2), k the values up
///    to c (Efron 1982). No random numbers, so no seed;
///  - the sign test, exact for independent values of any distribution.
/// Both with effective_count() for n where values near in time are alike.
class MedianSample {
 public:
  /// In the order of time; at least one, all finite.
  explicit MedianSample(std::span<const double> values);
  /// Of values that are known to be independent.
  static MedianSample independent(std::span<const double> values);

  double median() const { return median_; }
  std::size_t effective() const { return effective_; }
  /// p-value of "the median is at most c" and of "it is at least c": small where it is not.
  double p_at_most(double c) const;
  double p_at_least(double c) const;
  /// Two-sided: [low, high] holds the c that neither p-value excludes at (1 - level) / 2. An end
  /// that no number of the sample reaches is 0 or infinity.
  RatioEstimate interval(double level) const;

 private:
  MedianSample(std::span<const double> values, std::size_t effective);
  double p_of(std::size_t beyond) const;

  std::vector<double> sorted_;
  double median_ = 0.0;
  std::size_t effective_ = 1;
};

/// Holm (1979): the threshold that each p-value is held against, in the order of `p`. Those at or
/// below theirs are rejected; the chance that one of the rejected was true is at most alpha.
struct HolmStep {
  double threshold = 0.0;
  bool rejected = false;
};
std::vector<HolmStep> holm(std::span<const double> p, double alpha);

/// p-value of "all groups are from one distribution" (Kruskal and Wallis 1952, Wilson and
/// Hilferty's approximation of chi-squared); 1 for fewer than two groups. `group` numbers from 0.
double kruskal_wallis(std::span<const double> values, std::span<const std::int64_t> group);

}  // namespace lvsa::analysis
