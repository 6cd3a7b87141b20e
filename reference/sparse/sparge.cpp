#include "reference/sparse/sparge.hpp"

#include <cmath>
#include <limits>

#include "core/error.hpp"

namespace lvsa::reference {
namespace {

using Rows = std::vector<std::vector<double>>;
using Bools = std::vector<bool>;

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

std::int64_t size_of(const Rows& rows) { return static_cast<std::int64_t>(rows.size()); }

Rows block_of(const Rows& x, std::int64_t block, std::int64_t b) {
  Rows rows;
  for (std::int64_t s = b * block; s < (b + 1) * block && s < size_of(x); ++s) {
    rows.push_back(x[static_cast<std::size_t>(s)]);
  }
  return rows;
}

// Step 2, and the mean of step 1: fp32 sum, fp32 division, the input type.
std::vector<double> pool(const Rows& rows, DType dtype) {
  std::vector<double> mean;
  for (std::size_t d = 0; d < rows.front().size(); ++d) {
    long double sum = 0;
    for (const auto& row : rows) sum += static_cast<long double>(row[d]);
    const float quotient = static_cast<float>(sum) / static_cast<float>(rows.size());
    mean.push_back(round_to_dtype(dtype, static_cast<double>(quotient)));
  }
  return mean;
}

// Step 1: k' = k - mean(k), in the input type.
Rows centred(const Rows& k, DType dtype) {
  const std::vector<double> mean = pool(k, dtype);
  Rows result = k;
  for (auto& row : result) {
    for (std::size_t d = 0; d < row.size(); ++d) row[d] = round_to_dtype(dtype, row[d] - mean[d]);
  }
  return result;
}

// Step 3: the mean of <x_i, x_j> of rows of length 1; NaN where a row has the length 0.
float sim(const Rows& rows) {
  std::vector<std::vector<long double>> unit;
  for (const auto& row : rows) {
    long double square = 0;
    for (const double x : row) square += static_cast<long double>(x) * static_cast<long double>(x);
    unit.emplace_back();
    for (const double x : row) unit.back().push_back(static_cast<long double>(x) / sqrtl(square));
  }
  long double sum = 0;
  for (const auto& a : unit) {
    for (const auto& b : unit) {
      for (std::size_t d = 0; d < a.size(); ++d) sum += a[d] * b[d];
    }
  }
  return static_cast<float>(sum / static_cast<long double>(rows.size() * rows.size()));
}

struct Blocks {
  Rows pooled;
  Bools flag;
};

Blocks blocks_of(const Rows& x, std::int64_t block, const SpargeRequest& request) {
  Blocks result;
  for (std::int64_t b = 0; b * block < size_of(x); ++b) {
    const Rows rows = block_of(x, block, b);
    result.pooled.push_back(pool(rows, request.dtype));
    const bool partial = size_of(rows) != block;
    result.flag.push_back(sim(rows) > static_cast<float>(request.simthreshd1) &&
                          !(partial && request.partial_kept));
  }
  return result;
}

bool causal_allows(const SpargeRequest& r, std::size_t i, std::size_t j) {
  const double quotient = static_cast<double>(r.block_q) / static_cast<double>(r.block_k);
  return !r.causal || static_cast<double>(j) < static_cast<double>(i + 1) * quotient;
}

float in_type(const SpargeRequest& r, float x) {
  return r.round_p ? static_cast<float>(round_to_dtype(r.dtype, static_cast<double>(x))) : x;
}

// Step 4: a row of S, then of P.
std::vector<float> probabilities(const SpargeRequest& r, const Blocks& q, const Blocks& k,
                                 std::size_t i) {
  std::vector<float> s;
  float highest = kMinusInfinity;
  for (std::size_t j = 0; j < k.pooled.size(); ++j) {
    long double product = 0;
    for (std::size_t d = 0; d < k.pooled[j].size(); ++d) {
      product +=
          static_cast<long double>(q.pooled[i][d]) * static_cast<long double>(k.pooled[j][d]);
    }
    const auto size = static_cast<long double>(k.pooled[j].size());
    const float score = static_cast<float>(product) * static_cast<float>(1.0L / sqrtl(size));
    s.push_back(k.flag[j] && causal_allows(r, i, j) ? in_type(r, score) : kMinusInfinity);
    if (s.back() > highest) highest = s.back();
  }
  std::vector<float> p;
  long double sum = 0;
  for (const float score : s) {
    const long double difference =
        static_cast<long double>(score) - static_cast<long double>(highest);
    p.push_back(score == kMinusInfinity ? 0.0F : static_cast<float>(expl(difference)));
    sum += static_cast<long double>(p.back());
  }
  for (float& x : p) x = sum == 0 ? 0.0F : in_type(r, x / static_cast<float>(sum));
  return p;
}

// Place of j in the order by falling p, the lower index first among equals.
std::size_t rank_of(const std::vector<float>& p, std::size_t j) {
  std::size_t rank = 0;
  for (std::size_t other = 0; other < p.size(); ++other) {
    if (p[other] > p[j] || (p[other] == p[j] && other < j)) ++rank;
  }
  return rank;
}

// Step 5: n_i.
std::size_t number(const SpargeRequest& r, const std::vector<float>& p,
                   const std::vector<std::size_t>& ranks) {
  const std::size_t nk = p.size();
  if (r.topk) {
    const float product = static_cast<float>(*r.topk) * static_cast<float>(nk);
    const auto n = static_cast<std::size_t>(truncf(product));
    return n == 0 ? 1 : n;
  }
  std::vector<float> sorted(nk);
  for (std::size_t j = 0; j < nk; ++j) sorted[ranks[j]] = p[j];
  std::size_t n = 0;
  long double sum = 0;
  for (const float x : sorted) {
    sum += static_cast<long double>(x);
    const double cdf = round_to_dtype(r.dtype, static_cast<double>(sum));
    if (cdf <= static_cast<double>(static_cast<float>(*r.cdfthreshd))) ++n;
  }
  return n == 0 ? 1 : n;
}

}  // namespace

std::vector<std::vector<bool>> sparge_map(const SpargeRequest& r) {
  if (r.topk.has_value() == r.cdfthreshd.has_value()) {
    throw Error(ErrorKind::kValue, "sparge: exactly one of topk and cdfthreshd is due");
  }
  const Blocks q = blocks_of(r.q, r.block_q, r);
  const Blocks k = blocks_of(r.smooth_k ? centred(r.k, r.dtype) : r.k, r.block_k, r);
  std::vector<std::vector<bool>> map;
  for (std::size_t i = 0; i < q.pooled.size(); ++i) {
    const std::vector<float> p = probabilities(r, q, k, i);
    std::vector<std::size_t> ranks;
    for (std::size_t j = 0; j < p.size(); ++j) ranks.push_back(rank_of(p, j));
    const std::size_t n = number(r, p, ranks);
    map.emplace_back();
    for (std::size_t j = 0; j < p.size(); ++j) {
      const bool kept = ranks[j] < n || !k.flag[j] || !q.flag[i];  // step 6
      map.back().push_back((kept && causal_allows(r, i, j)) || (r.attention_sink && j == 0));
    }
  }
  return map;
}

}  // namespace lvsa::reference
