#include "analysis/verify/tier_c.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace lvsa::analysis {
namespace {

using reference::KeyTerm;

constexpr std::size_t kMostRows = 16;
constexpr double kDeviations = 6.0;

bool has_many_ties(const std::vector<KeyTerm>& keys) {
  std::vector<double> weights;
  for (const KeyTerm& key : keys) weights.push_back(key.p);
  std::sort(weights.begin(), weights.end());
  const auto last = std::unique(weights.begin(), weights.end());
  return 2 * (last - weights.begin()) < static_cast<std::ptrdiff_t>(keys.size());
}

// Standard deviation of each column if all roundings are independent.
std::vector<double> deviations(const reference::AttentionProblem& problem,
                               const reference::RowId& row, const reference::RowResult& exact,
                               const std::vector<KeyTerm>& keys, const BoundModel& model) {
  // Tails of frames are not worth counting here.
  const std::int64_t tile = std::max<std::int64_t>(1, model.key_tile);
  const double steps = accumulation_steps(model, exact.keys, (exact.keys + tile - 1) / tile);
  const std::int64_t head = row.head / (problem.q.shape[2] / problem.k.shape[2]);
  std::vector<double> value(exact.out.size());
  std::vector<double> variance(exact.out.size(), 0.0);
  // An error anywhere in +- u has a variance of at most u^2 / 3.
  const double rounding = model.p_roundoff * model.p_roundoff / 3.0;
  for (const KeyTerm& key : keys) {
    problem.v.read_row(row.batch, key.token, head, value.data());
    const double share = key.p * key.p / (exact.normaliser * exact.normaliser);
    for (std::size_t c = 0; c < value.size(); ++c) {
      const double off = value[c] - exact.out[c];
      variance[c] += share * (rounding * value[c] * value[c] + key.eta * key.eta * off * off);
    }
  }
  // Accumulators that cut off lean one way: theirs grow with the number, not with its root.
  const bool cuts_off = model.accumulator_roundoff > 0x1p-24;
  const double growth =
      (cuts_off ? steps * steps : steps) * model.accumulator_roundoff * model.accumulator_roundoff;
  for (std::size_t c = 0; c < variance.size(); ++c) {
    const double size = exact.magnitude[c] + std::fabs(exact.out[c]);
    const double lost = model.p_underflow * exact.value_sum[c];
    variance[c] = std::sqrt(variance[c] + growth * size * size + lost * lost);
  }
  return variance;
}

}  // namespace

std::string tier_c_remark(const KernelOutputs& outputs, DType out_dtype,
                          const reference::AttentionProblem& problem,
                          std::span<const reference::RowId> rows,
                          std::span<const reference::RowResult> exact, const BoundModel& model) {
  std::int64_t looked_at = 0;
  std::int64_t beyond = 0;
  double worst = 0.0;
  reference::RowId where;
  std::size_t column = 0;
  const std::size_t count = std::min(kMostRows, rows.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t r = i * rows.size() / count;
    const auto keys = attend_keys(problem, rows[r], model.scores);
    if (keys.empty() || !std::isfinite(exact[r].lse) || has_many_ties(keys)) continue;
    const auto sigma = deviations(problem, rows[r], exact[r], keys, model);
    std::vector<double> got(sigma.size());
    outputs.out.read_row(rows[r].batch, rows[r].token, rows[r].head, got.data());
    for (std::size_t c = 0; c < sigma.size(); ++c) {
      const double error = unrounded_error(exact[r].out[c], got[c], out_dtype);
      ++looked_at;
      if (!(error > kDeviations * sigma[c])) continue;
      ++beyond;
      if (error > worst * sigma[c]) {
        worst = error / sigma[c];
        where = rows[r];
        column = c;
      }
    }
  }
  if (beyond == 0) return {};
  return fmt::format(
      "tier C: {} of {} elements looked at are off by more than {:g} standard deviations of "
      "independent roundings, the worst by {:.3g} (batch {}, token {}, head {}, column {})",
      beyond, looked_at, kDeviations, worst, where.batch, where.token, where.head, column);
}

}  // namespace lvsa::analysis
