// p-values by permutation and intervals by the bootstrap.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "analysis/quality/rank_correlation.hpp"
#include "analysis/verify/inputs.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostExact = 8;     // pairs: 40,320 permutations
constexpr std::size_t kMostCounted = 50;  // pairs whose tau is permuted too
constexpr std::size_t kMostResampled = 100;
constexpr std::uint64_t kPermutationStream = 1, kBootstrapStream = 2;

// Numbers below `most`; random bits beyond the last whole share are passed over, since a remainder
// of them would be biased.
class Draw {
 public:
  Draw(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}
  std::size_t below(std::size_t most) {
    const auto limit = static_cast<std::uint64_t>(most);
    const std::uint64_t left_over = (0 - limit) % limit;  // 2^64 mod limit
    for (;;) {
      const std::uint64_t bits = random_bits(seed_, stream_, at_++);
      if (bits >= left_over) return static_cast<std::size_t>(bits % limit);
    }
  }

 private:
  std::uint64_t seed_, stream_, at_ = 0;
};

// What a permutation of y changes of rho and of tau: two sums of integers, so that "as large as the
// one seen" has no rounding in it.
class Statistics {
 public:
  Statistics(std::span<const double> x, std::span<const double> y, bool with_tau)
      : with_tau_(with_tau), a_(centred(x)), b_(centred(y)) {}

  std::int64_t rho(const std::vector<std::size_t>& to) const {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < to.size(); ++i) sum += a_[i] * b_[to[i]];
    return std::abs(sum);
  }
  std::int64_t tau(const std::vector<std::size_t>& to) const {
    if (!with_tau_) return 0;
    std::int64_t sum = 0;
    for (std::size_t i = 1; i < to.size(); ++i) {
      for (std::size_t k = 0; k < i; ++k) {
        sum += sign(a_[i] - a_[k]) * sign(b_[to[i]] - b_[to[k]]);
      }
    }
    return std::abs(sum);
  }

 private:
  static std::int64_t sign(std::int64_t value) { return (value > 0) - (value < 0); }
  // Twice the midranks less their mean.
  static std::vector<std::int64_t> centred(std::span<const double> values) {
    std::vector<std::int64_t> ranks;
    for (const double rank : midranks(values)) {
      ranks.push_back(static_cast<std::int64_t>(2.0 * rank) -
                      static_cast<std::int64_t>(values.size() + 1));
    }
    return ranks;
  }

  bool with_tau_;
  std::vector<std::int64_t> a_, b_;
};

struct Count {
  std::int64_t rho = 0, tau = 0, all = 0;
};

Count count_all(const Statistics& statistics, std::vector<std::size_t> to) {
  const std::int64_t rho = statistics.rho(to), tau = statistics.tau(to);
  Count count;
  do {
    ++count.all;
    count.rho += statistics.rho(to) >= rho;
    count.tau += statistics.tau(to) >= tau;
  } while (std::next_permutation(to.begin(), to.end()));
  return count;
}

Count count_random(const Statistics& statistics, std::vector<std::size_t> to,
                   const CorrelationOptions& options) {
  const std::int64_t rho = statistics.rho(to), tau = statistics.tau(to);
  Draw draw(options.seed, kPermutationStream);
  Count count{1, 1, 1};  // the one seen (Phipson and Smyth 2010)
  for (std::int64_t k = 0; k < options.permutations; ++k) {
    for (std::size_t i = to.size() - 1; i > 0; --i) std::swap(to[i], to[draw.below(i + 1)]);
    ++count.all;
    count.rho += statistics.rho(to) >= rho;
    count.tau += statistics.tau(to) >= tau;
  }
  return count;
}

// Sums over the groups of equal values that the variance of Kendall's score asks for.
struct Ties {
  double v = 0.0, pairs = 0.0, triples = 0.0;
};
Ties ties_of(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  Ties ties;
  for (std::size_t low = 0; low < sorted.size();) {
    std::size_t high = low + 1;
    while (high < sorted.size() && sorted[high] == sorted[low]) ++high;
    const auto t = static_cast<double>(high - low);
    ties.v += t * (t - 1.0) * (2.0 * t + 5.0);
    ties.pairs += t * (t - 1.0);
    ties.triples += t * (t - 1.0) * (t - 2.0);
    low = high;
  }
  return ties;
}

// Kendall (1970), section 5: the normal approximation with ties on both sides.
double normal_p_tau(std::span<const double> x, std::span<const double> y, double tau) {
  const auto n = static_cast<double>(x.size());
  const Ties a = ties_of(x), b = ties_of(y);
  const double all = n * (n - 1.0);
  const double variance = (all * (2.0 * n + 5.0) - a.v - b.v) / 18.0 +
                          a.pairs * b.pairs / (2.0 * all) +
                          a.triples * b.triples / (9.0 * all * (n - 2.0));
  const double score = tau * std::sqrt((all - a.pairs) / 2.0) * std::sqrt((all - b.pairs) / 2.0);
  return std::erfc(std::abs(score) / std::sqrt(2.0 * variance));
}

Interval95 percentiles(std::vector<double> values, std::int64_t resamples) {
  // Those left out are no chance selection: what remains would not stand for all.
  const std::int64_t missing = resamples - static_cast<std::int64_t>(values.size());
  if (20 * missing > resamples) return {kNaN, kNaN};
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  const auto at = [&](double share) {
    const double place = share * last;
    const auto low = static_cast<std::size_t>(place);
    const std::size_t high = std::min(low + 1, values.size() - 1);
    return values[low] + (place - static_cast<double>(low)) * (values[high] - values[low]);
  };
  return {at(0.025), at(0.975)};
}

void bootstrap(std::span<const double> x, std::span<const double> y,
               const CorrelationOptions& options, CorrelationTest& test) {
  const std::size_t n = x.size();
  const std::int64_t resamples =
      n > kMostResampled ? std::min<std::int64_t>(options.resamples, 499) : options.resamples;
  Draw draw(options.seed, kBootstrapStream);
  std::vector<double> rhos, taus, a(n), b(n);
  for (std::int64_t k = 0; k < resamples; ++k) {
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t from = draw.below(n);
      a[i] = x[from];
      b[i] = y[from];
    }
    const double rho = spearman_rho(a, b), tau = kendall_tau_b(a, b);
    if (!std::isnan(rho)) rhos.push_back(rho);
    if (!std::isnan(tau)) taus.push_back(tau);
  }
  test.rho_interval = percentiles(std::move(rhos), resamples);
  test.tau_interval = percentiles(std::move(taus), resamples);
}

}  // namespace

CorrelationTest test_correlation(std::span<const double> x, std::span<const double> y,
                                 const CorrelationOptions& options) {
  const auto is_nan = [](double value) { return std::isnan(value); };
  if (x.size() != y.size() || std::any_of(x.begin(), x.end(), is_nan) ||
      std::any_of(y.begin(), y.end(), is_nan)) {
    throw Error(ErrorKind::kValue,
                fmt::format("correlation of {} and {} values: as many, and no NaN, are due",
                            x.size(), y.size()));
  }
  CorrelationTest test;
  test.pairs = x.size();
  test.rho = x.size() < 2 ? kNaN : spearman_rho(x, y);
  test.tau = x.size() < 2 ? kNaN : kendall_tau_b(x, y);
  test.p_rho = test.p_tau = kNaN;
  test.rho_interval = test.tau_interval = {kNaN, kNaN};
  if (x.size() < 3 || std::isnan(test.rho)) return test;
  std::vector<std::size_t> to(x.size());
  std::iota(to.begin(), to.end(), std::size_t{0});
  test.exact = x.size() <= kMostExact;
  const bool counted = x.size() <= kMostCounted;
  const Statistics statistics(x, y, counted);
  const Count count =
      test.exact ? count_all(statistics, to) : count_random(statistics, to, options);
  const auto all = static_cast<double>(count.all);
  test.p_rho = static_cast<double>(count.rho) / all;
  test.p_tau = counted ? static_cast<double>(count.tau) / all : normal_p_tau(x, y, test.tau);
  bootstrap(x, y, options, test);
  return test;
}

}  // namespace lvsa::analysis
