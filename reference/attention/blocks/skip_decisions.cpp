#include "reference/attention/blocks/skip_decisions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "reference/attention/oracle_loops.hpp"

namespace lvsa::reference {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The smallest and the largest that a maximum of scores may be, log2 units.
struct Top {
  double low = -kInfinity;
  double high = -kInfinity;
  void join(const Top& other) {
    low = std::max(low, other.low);
    high = std::max(high, other.high);
  }
};

class QueryBlock {
 public:
  QueryBlock(const BlockAttention& a, std::int64_t batch, std::int64_t head, std::int64_t block,
             const ScoreErrorModel& errors)
      : a_(a),
        pattern_(a.pattern(batch, head)),
        errors_(errors),
        batch_(batch),
        kv_head_(head / (a.q.shape[2] / a.k.shape[2])),
        block_(block),
        dim_(a.q.shape[3]) {
    const std::int64_t rows = pattern_.map.rows.size(block);
    queries_.resize(static_cast<std::size_t>(rows * dim_));
    for (std::int64_t r = 0; r < rows; ++r) {
      double* query = queries_.data() + r * dim_;
      a.q.read_row(batch, token(pattern_.map.rows.begin(block) + r), head, query);
      rows_.push_back(query);
    }
    seen_.resize(rows_.size());
  }

  std::vector<SkipDecision> decide() {
    std::vector<SkipDecision> decisions;
    const std::int64_t begin = pattern_.map.indptr[static_cast<std::size_t>(block_)];
    const std::int64_t end = pattern_.map.indptr[static_cast<std::size_t>(block_) + 1];
    for (std::int64_t e = begin; e < end; ++e) {
      SkipDecision decision = pass(e);
      if (e + 1 == end) decision.state = SkipState::kKept;
      decisions.push_back(decision);
    }
    return decisions;
  }

 private:
  std::int64_t token(std::int64_t place) const {
    return pattern_.order ? pattern_.order->token(place) : place;
  }

  // Takes one kept block in: its decision, and its scores into the maxima.
  SkipDecision pass(std::int64_t entry) {
    const std::int32_t column = pattern_.map.indices[static_cast<std::size_t>(entry)];
    const std::int64_t keys = pattern_.map.columns.size(column);
    make_scores(pattern_.map.columns.begin(column), keys);
    SkipDecision d{SkipState::kKept, -kInfinity, -kInfinity};
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      const Top top = top_of(entry, r, keys);
      if (top.high == -kInfinity) continue;  // attends none of them
      const auto widened = [&](double delta, double sign) {
        return std::isinf(delta) ? delta : delta + sign * std::fabs(delta) * errors_.unit;
      };
      d.delta_low = std::max(d.delta_low, widened(top.low - seen_[r].high, -1.0));
      d.delta_high = std::max(d.delta_high, widened(top.high - seen_[r].low, 1.0));
      seen_[r].join(top);
    }
    // As kernels get it.
    const auto threshold = static_cast<double>(static_cast<float>(pattern_.skip->threshold_log2));
    if (d.delta_high + threshold <= 0.0) {
      d.state = SkipState::kSkipped;
    } else if (!(d.delta_low + threshold > 0.0)) {
      d.state = SkipState::kInDoubt;
    }
    return d;
  }

  // q.k and sum |q_i k_i| of all rows with the keys at these places.
  void make_scores(std::int64_t first_place, std::int64_t keys) {
    const std::int64_t panels = (keys + kOraclePanel - 1) / kOraclePanel;
    block_keys_.assign(static_cast<std::size_t>(panels * kOraclePanel * dim_), 0.0);
    std::vector<double> key(static_cast<std::size_t>(dim_));
    for (std::int64_t j = 0; j < keys; ++j) {
      a_.k.read_row(batch_, token(first_place + j), kv_head_, key.data());
      double* place =
          block_keys_.data() + j / kOraclePanel * kOraclePanel * dim_ + j % kOraclePanel;
      for (std::int64_t d = 0; d < dim_; ++d) {
        place[d * kOraclePanel] = key[static_cast<std::size_t>(d)];
      }
    }
    const std::int64_t width = panels * kOraclePanel;
    products_.resize(rows_.size() * static_cast<std::size_t>(width));
    magnitudes_.resize(products_.size());
    std::vector<double*> products;
    std::vector<double*> magnitudes;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      products.push_back(products_.data() + static_cast<std::int64_t>(r) * width);
      magnitudes.push_back(magnitudes_.data() + static_cast<std::int64_t>(r) * width);
    }
    const OracleScoreArgs args{rows_.data(),
                               static_cast<std::int64_t>(rows_.size()),
                               block_keys_.data(),
                               panels,
                               dim_,
                               products.data(),
                               magnitudes.data()};
    best_oracle_loops().score(&args);
    width_ = width;
  }

  Top top_of(std::int64_t entry, std::size_t row, std::int64_t keys) const {
    const std::int32_t mask = pattern_.mask.mask_of(entry);
    const double* product = products_.data() + static_cast<std::int64_t>(row) * width_;
    const double* magnitude = magnitudes_.data() + static_cast<std::int64_t>(row) * width_;
    Top top;
    for (std::int64_t j = 0; j < keys; ++j) {
      if (!pattern_.mask.attends(mask, static_cast<std::int64_t>(row), j)) continue;
      const double score = a_.scale * product[j];
      const double error = errors_.dot * std::fabs(a_.scale) * magnitude[j] +
                           (errors_.score + 2.0) * std::fabs(score) * errors_.unit;
      top.join({(score - error) * std::numbers::log2e, (score + error) * std::numbers::log2e});
    }
    return top;
  }

  const BlockAttention& a_;
  const HeadPattern& pattern_;
  const ScoreErrorModel& errors_;
  std::int64_t batch_;
  std::int64_t kv_head_;
  std::int64_t block_;
  std::int64_t dim_;
  std::vector<double> queries_;
  std::vector<const double*> rows_;
  std::vector<Top> seen_;
  std::vector<double> block_keys_;
  std::vector<double> products_;
  std::vector<double> magnitudes_;
  std::int64_t width_ = 0;
};

}  // namespace

std::vector<SkipDecision> skip_decisions(const BlockAttention& attention, std::int64_t batch,
                                         std::int64_t head, std::int64_t block,
                                         const ScoreErrorModel& errors) {
  const HeadPattern& pattern = attention.pattern(batch, head);
  if (!pattern.skip) {
    return std::vector<SkipDecision>(pattern.map.row(block).size(),
                                     {SkipState::kKept, kInfinity, kInfinity});
  }
  return QueryBlock(attention, batch, head, block, errors).decide();
}

}  // namespace lvsa::reference
