#include "reference/parallel/block_attention.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lvsa::reference {

BlockRow attend_block(const double* query, const std::vector<KeyRow>& keys, std::int64_t dim,
                      double scale) {
  BlockRow row{std::vector<double>(static_cast<std::size_t>(dim), 0.0),
               -std::numeric_limits<double>::infinity()};
  if (keys.empty()) return row;
  std::vector<double> scores;
  scores.reserve(keys.size());
  for (const KeyRow& key : keys) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < dim; ++i) sum += query[i] * key.key[i];
    scores.push_back(scale * sum);
  }
  const double most = *std::max_element(scores.begin(), scores.end());
  double normaliser = 0.0;
  for (std::size_t j = 0; j < keys.size(); ++j) {
    const double p = std::exp(scores[j] - most);
    normaliser += p;
    for (std::int64_t c = 0; c < dim; ++c)
      row.out[static_cast<std::size_t>(c)] += p * keys[j].value[c];
  }
  for (double& value : row.out) value /= normaliser;
  row.lse = most + std::log(normaliser);
  return row;
}

}  // namespace lvsa::reference
