// From the sums over keys to a row's result.

#include <cmath>
#include <limits>

#include "reference/attention/exact_log.hpp"
#include "reference/attention/oracle_group.hpp"

namespace lvsa::reference {

void OracleGroup::soften(std::size_t r, RowResult& result) {
  OracleSoftenArgs args{};
  args.products = states_[r].weight;
  args.magnitudes = states_[r].eta_weight;
  args.keys = states_[r].keys;
  args.scale = problem_.scale;
  args.dot = errors_.dot;
  args.score = errors_.score;
  args.exponent = errors_.exponent;
  args.constant = errors_.constant;
  args.unit = errors_.unit;
  loops_.soften(&args);
  result.max_score = args.max_score;
  result.normaliser = args.normaliser;
  result.lse = args.max_score + exact_log(args.normaliser);
  result.lse_shift = args.weighted_eta / args.normaliser;
  result.max_eta = args.max_eta;
}

void OracleGroup::attend(std::span<RowResult> results) {
  make_scores();
  for (std::size_t r = 0; r < states_.size(); ++r) {
    results[r] = {};
    results[r].keys = states_[r].keys;
    if (states_[r].keys == 0) {
      results[r].lse = results[r].max_score = -std::numeric_limits<double>::infinity();
    } else {
      soften(r, results[r]);
    }
  }
  add_values(results);
  add_deviations();
  for (std::size_t r = 0; r < states_.size(); ++r) {
    const RowState& row = states_[r];
    results[r].out.assign(row.out, row.out + dim_);
    results[r].magnitude.assign(row.magnitude, row.magnitude + dim_);
    results[r].value_sum.assign(row.value_sum, row.value_sum + dim_);
    results[r].deviation.assign(row.spread, row.spread + dim_);
    results[r].score_shift.assign(row.shift, row.shift + dim_);
    if (row.keys == 0) continue;
    for (double& spread : results[r].deviation) spread /= results[r].normaliser;
    for (double& shift : results[r].score_shift) shift /= results[r].normaliser;
  }
}

std::vector<KeyTerm> OracleGroup::key_terms(std::size_t r) {
  std::vector<KeyTerm> terms;
  make_scores();
  const RowState& row = states_[r];
  if (row.keys == 0) return terms;
  for (const auto& [begin, end] : visible_ranges(problem_, rows_[r])) {
    for (std::int64_t token = begin; token < end; ++token) {
      KeyTerm term;
      term.token = token;
      term.score = problem_.scale * row.weight[terms.size()];
      term.magnitude = std::fabs(problem_.scale) * row.eta_weight[terms.size()];
      terms.push_back(term);
    }
  }
  RowResult result;
  soften(r, result);
  for (std::size_t j = 0; j < terms.size(); ++j) {
    KeyTerm& term = terms[j];
    term.p = row.weight[j];
    term.eta = errors_.dot * term.magnitude +
               (std::fabs(term.score) + errors_.exponent * (result.max_score - term.score) +
                errors_.constant) *
                   errors_.unit;
  }
  return terms;
}

}  // namespace lvsa::reference
