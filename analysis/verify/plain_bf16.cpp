#include "analysis/verify/plain_bf16.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/tensor/tensor.hpp"

namespace lvsa::analysis {
namespace {

double bf16(double value) { return round_to_dtype(LVSA_BF16, value); }

}  // namespace

std::vector<double> plain_bf16_row(const reference::AttentionProblem& problem,
                                   const reference::RowId& row) {
  const auto width = static_cast<std::size_t>(problem.q.shape[3]);
  const std::int64_t head = row.head / (problem.q.shape[2] / problem.k.shape[2]);
  std::vector<double> query(width);
  std::vector<double> other(width);
  problem.q.read_row(row.batch, row.token, row.head, query.data());
  std::vector<std::int64_t> tokens;
  for (const auto& [begin, end] : visible_ranges(problem, row)) {
    for (std::int64_t t = begin; t < end; ++t) tokens.push_back(t);
  }
  std::vector<double> p;
  double max = -std::numeric_limits<double>::infinity();
  for (const std::int64_t token : tokens) {
    problem.k.read_row(row.batch, token, head, other.data());
    float sum = 0.0F;
    for (std::size_t d = 0; d < width; ++d) {
      sum += static_cast<float>(query[d] * bf16(other[d] * problem.scale));
    }
    p.push_back(bf16(static_cast<double>(sum)));
    max = std::max(max, p.back());
  }
  float normaliser = 0.0F;
  for (double& weight : p) {
    weight = std::exp(weight - max);
    normaliser += static_cast<float>(weight);
  }
  std::vector<float> out(width, 0.0F);
  for (std::size_t j = 0; j < tokens.size(); ++j) {
    problem.v.read_row(row.batch, tokens[j], head, other.data());
    const double weight = bf16(p[j] / static_cast<double>(normaliser));
    for (std::size_t d = 0; d < width; ++d) out[d] += static_cast<float>(weight * other[d]);
  }
  std::vector<double> rounded(width);
  std::transform(out.begin(), out.end(), rounded.begin(),
                 [](float value) { return bf16(static_cast<double>(value)); });
  return rounded;
}

}  // namespace lvsa::analysis
