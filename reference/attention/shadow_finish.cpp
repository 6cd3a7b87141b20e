// From the sums over epochs to the result and the terms of its bound.

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/tensor/tensor.hpp"
#include "reference/attention/exact_log.hpp"
#include "reference/attention/shadow_group.hpp"

namespace lvsa::reference {
namespace {

constexpr double kUnit = 0x1p-24;

}  // namespace

// The weight of a split in the merge is exp(lse_i - lse): its log-sum-exp is rounded (product,
// logarithm, sum, and where it is stored), then the difference, and the exponential.
double ShadowGroup::merge_error(const Row& row, std::int64_t split, double lse) const {
  double sum = 0.0;
  double top = -std::numeric_limits<double>::infinity();
  for (const ShadowEpoch& epoch : row.plan.epochs) top = std::max(top, epoch.max);
  for (const ShadowEpoch& epoch : row.plan.epochs) {
    if (epoch.split == split) sum += epoch.factor * epoch.sum;
  }
  const double of_split = top + exact_log(sum);
  return kUnit *
         (4.0 * std::fabs(of_split) + 4.0 * std::fabs(of_split - lse) + errors_.exp_units + 4.0);
}

std::vector<double> ShadowGroup::factor_errors(const Row& row) const {
  std::vector<double> errors;
  double lse = row.plan.epochs.front().max;
  for (const ShadowEpoch& epoch : row.plan.epochs) lse = std::max(lse, epoch.max);
  lse += exact_log(row.plan.sum);
  for (const ShadowEpoch& epoch : row.plan.epochs) {
    errors.push_back(epoch.factor_error +
                     (schedule_.splits > 1 ? merge_error(row, epoch.split, lse) : 0.0));
  }
  return errors;
}

void ShadowGroup::finish(Row& row) const {
  ShadowRow& result = *row.result;
  const auto width = static_cast<std::size_t>(dim_);
  result.out.assign(width, 0.0);
  result.doubts.assign(width, 0.0);
  result.scores.assign(width, 0.0);
  if (result.keys == 0) result.lse = -std::numeric_limits<double>::infinity();
  if (result.keys == 0 || !result.finite) return;

  const std::vector<double> errors = factor_errors(row);
  const bool rounds = PRounding(schedule_.p_dtype, false).rounds();
  const double sum = schedule_.normalise_first ? 1.0 : row.plan.sum;
  const double partial = schedule_.splits > 1 ? unit_roundoff(schedule_.partial_dtype) : 0.0;
  double score_error = 0.0;  // of the sum, by errors of scores alone
  double doubt = 0.0;
  for (const ShadowEpoch& epoch : row.plan.epochs) {
    score_error += epoch.factor * epoch.sum_error / row.plan.sum;
    doubt += epoch.factor * epoch.doubt / row.plan.sum;
  }
  const bool sums_rounded = schedule_.sum_rounded_p && rounds;
  // What is in doubt may be so much that the quotient's first order is not enough: the denominator
  // is at least 1 - sum_doubt of what it should be.
  result.sum_doubt = sums_rounded ? std::min(doubt, 0.5) : 0.0;
  const double larger = 1.0 / (1.0 - result.sum_doubt);
  for (std::size_t c = 0; c < width; ++c) {
    double value = 0.0;
    double unsure = 0.0;
    for (std::size_t e = 0; e < row.plan.epochs.size(); ++e) {
      const double factor = row.plan.epochs[e].factor / sum;
      value += factor * row.values[e * width + c];
      unsure += factor * row.doubts[e * width + c];
    }
    if (centred()) unsure += doubt * std::fabs(value - row.exact->out[c]);
    double scores = 0.0;
    if (!schedule_.normalise_first) {
      // Where the sum is of unrounded p, errors of scores reach it alone.
      if (!centred()) scores = std::fabs(value) * score_error;
      for (std::size_t e = 0; e < row.plan.epochs.size(); ++e) {
        const ShadowEpoch& epoch = row.plan.epochs[e];
        const double share = epoch.factor * row.values[e * width + c] / sum;
        const double off = share - value * epoch.factor * epoch.sum / sum;
        scores += errors[e] * std::fabs(off) + partial * std::fabs(share);
        if (rounds) scores += epoch.max_error * std::fabs(centred() ? off : share);
      }
    }
    result.out[c] = value;
    result.doubts[c] = unsure * larger;
    result.scores[c] = scores * larger;
  }
  finish_lse(row, errors);
}

ShadowTrace ShadowGroup::trace() const {
  ShadowTrace trace;
  const Row& row = rows_.front();
  trace.epochs = static_cast<std::int64_t>(row.plan.epochs.size());
  const double sum = schedule_.normalise_first ? 1.0 : row.plan.sum;
  trace.keys.resize(row.plan.tiles.empty() ? 0 : tokens_.size());
  for (std::size_t t = 0; t < row.plan.tiles.size(); ++t) {
    const double factor = row.plan.epochs[row.plan.epoch_of[t]].factor / sum;
    for (std::int64_t k = row.plan.tiles[t].first; k < row.plan.tiles[t].last; ++k) {
      const auto j = static_cast<std::size_t>(k);
      trace.keys[j] = {tokens_[j], row.scores[j], row.score_errors[j], factor * row.plan.weight[j],
                       factor * row.plan.doubt[j]};
    }
  }
  return trace;
}

void ShadowGroup::finish_lse(Row& row, const std::vector<double>& errors) const {
  ShadowRow& result = *row.result;
  const bool sums_rounded = schedule_.sum_rounded_p && PRounding(schedule_.p_dtype, false).rounds();
  double top = row.plan.epochs.front().max;
  double shift = 0.0;
  for (std::size_t e = 0; e < row.plan.epochs.size(); ++e) {
    const ShadowEpoch& epoch = row.plan.epochs[e];
    top = std::max(top, epoch.max);
    double error = errors[e] * epoch.sum;
    error += sums_rounded ? epoch.max_error * epoch.sum : epoch.sum_error;
    shift += epoch.factor * error / row.plan.sum;
  }
  shift -= std::log1p(-result.sum_doubt);
  result.lse = top + exact_log(row.plan.sum);
  result.lse_shift = shift;
}

}  // namespace lvsa::reference
