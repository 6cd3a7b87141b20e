#pragma once
// Rank correlations with ties, their p-values and intervals. docs/quality.md has the sources.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lvsa::analysis {

/// Ranks from 1; equal values share the mean of theirs. Infinities rank at the ends. For no NaN.
std::vector<double> midranks(std::span<const double> values);

/// Spearman's rho: Pearson's correlation of the midranks. NaN where one side is all alike, or for
/// fewer than two pairs.
double spearman_rho(std::span<const double> x, std::span<const double> y);

/// Kendall's tau-b, in n log n steps (Knight 1966). NaN as above.
double kendall_tau_b(std::span<const double> x, std::span<const double> y);

/// Spearman's first-order partial correlation of x and y given z. NaN where z decides one of them.
double partial_rho(double xy, double xz, double yz);

struct CorrelationOptions {
  std::uint64_t seed = 1;
  std::int64_t permutations = 9999;  ///< where not all are gone through
  std::int64_t resamples = 1999;     ///< of the bootstrap; 499 above 100 pairs
};

struct Interval95 {
  double low = 0.0;  ///< NaN: not to be had
  double high = 0.0;
};

struct CorrelationTest {
  std::size_t pairs = 0;
  double rho = 0.0;
  double tau = 0.0;
  /// Two-sided, of "no association". Up to 8 pairs over all permutations; above that over
  /// `permutations` random ones, the one seen counted in; tau above 50 pairs by the normal
  /// approximation with its correction for ties.
  double p_rho = 1.0;
  double p_tau = 1.0;
  bool exact = false;
  /// Percentiles 2.5 and 97.5 over resamples of the pairs; those where it is not defined are left
  /// out, and where they are more than one in twenty there is no interval.
  Interval95 rho_interval;
  Interval95 tau_interval;
};

/// The same seed gives the same figures, whatever else is tested. Throws Error(kValue) for NaN or
/// different lengths.
CorrelationTest test_correlation(std::span<const double> x, std::span<const double> y,
                                 const CorrelationOptions& options = {});

/// Holm's (1979) adjusted p-values, in the order of `p`; NaN stays and does not count.
std::vector<double> holm_adjusted(std::span<const double> p);

}  // namespace lvsa::analysis
