#include "core/sparse/sparge_map.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/blocks/rule_words.hpp"
#include "core/error.hpp"
#include "core/sparse/sparge_blocks.hpp"
#include "core/sparse/tensor_rows.hpp"

namespace lvsa::sparse {
namespace {

// Map of one head under construction.
class HeadMap {
 public:
  HeadMap(const SpargeSettings& settings, const PatternInput& input)
      : settings_(settings),
        input_(input),
        rows_(BlockAxis::uniform(input.q.shape[1], settings.block.rows)),
        columns_(BlockAxis::uniform(input.k.shape[1], settings.block.columns)),
        q_(pool_blocks(input.q, rows_, {})),
        k_(pool_blocks(input.k, columns_,
                       settings.centre_k ? mean_row(input.k) : std::vector<double>{})) {
    const auto least =
        static_cast<float>(value_of_head(settings.simthreshd1, input.head, "sparge: simthreshd1"));
    for (std::int64_t r = 0; r < rows_.blocks(); ++r)
      q_alike_.push_back(alike(q_, rows_, r, least));
    for (std::int64_t c = 0; c < columns_.blocks(); ++c) {
      k_alike_.push_back(alike(k_, columns_, c, least));
    }
  }

  BlockMap make() {
    BlockMap map{rows_, columns_, {0}, {}};
    std::vector<char> keep;
    for (std::int64_t r = 0; r < rows_.blocks(); ++r) {
      select(r, keep);
      for (std::size_t c = 0; c < keep.size(); ++c) {
        if (keep[c] != 0) map.indices.push_back(static_cast<std::int32_t>(c));
      }
      if (map.kept() > std::numeric_limits<std::int32_t>::max()) {
        throw Error(ErrorKind::kOverflow, "sparge: more than 2^31 - 1 kept blocks");
      }
      map.indptr.push_back(static_cast<std::int32_t>(map.kept()));
    }
    return map;
  }

 private:
  bool alike(const PooledBlocks& blocks, const BlockAxis& axis, std::int64_t b, float least) const {
    // The published code divides the missing rows of a partial block by their length, 0: NaN.
    if (settings_.partial_kept && axis.size(b) < axis_block(axis)) return false;
    return blocks.likeness[static_cast<std::size_t>(b)] > least;
  }
  std::int64_t axis_block(const BlockAxis& axis) const {
    return &axis == &rows_ ? settings_.block.rows : settings_.block.columns;
  }
  // Exact in 64 bits: j < (i + 1) * rows / columns.
  bool causal_allows(std::int64_t r, std::int64_t c) const {
    return !settings_.causal || c * settings_.block.columns < (r + 1) * settings_.block.rows;
  }

  void score(std::int64_t r) {
    const std::int64_t dim = input_.q.shape[3];
    const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(dim)));
    scores_.resize(k_alike_.size());
    for (std::int64_t c = 0; c < columns_.blocks(); ++c) {
      const auto j = static_cast<std::size_t>(c);
      if (!k_alike_[j] || !causal_allows(r, c)) {
        scores_[j] = -std::numeric_limits<float>::infinity();
        continue;
      }
      scores_[j] =
          static_cast<float>(dot(q_.means.data() + r * dim, k_.means.data() + c * dim, dim)) *
          scale;
      if (settings_.round_p) scores_[j] = rounded(scores_[j]);
    }
    require_finite(scores_, "sparge", r);
    softmax_fp32(scores_, probabilities_);
    if (settings_.round_p) {
      for (float& p : probabilities_) p = rounded(p);
    }
  }
  float rounded(float value) const {
    return static_cast<float>(round_to_type(input_.q.dtype, static_cast<double>(value)));
  }

  // How many of the blocks in `order_`, which is by falling probability.
  std::int64_t count() const {
    const std::int64_t blocks = columns_.blocks();
    std::int64_t taken = 0;
    if (!settings_.topk.empty()) {
      const auto share =
          static_cast<float>(value_of_head(settings_.topk, input_.head, "sparge: topk"));
      taken = static_cast<std::int64_t>(share * static_cast<float>(blocks));
    } else {
      const auto most = static_cast<double>(static_cast<float>(
          value_of_head(settings_.cdfthreshd, input_.head, "sparge: cdfthreshd")));
      double sum = 0.0;
      for (const std::int32_t c : order_) {
        sum += static_cast<double>(probabilities_[static_cast<std::size_t>(c)]);
        if (!(round_to_type(input_.q.dtype, sum) <= most)) break;
        ++taken;
      }
    }
    return std::clamp<std::int64_t>(taken, 1, blocks);
  }

  void select(std::int64_t r, std::vector<char>& keep) {
    const bool whole_row = !q_alike_[static_cast<std::size_t>(r)];
    keep.assign(k_alike_.size(), whole_row ? 1 : 0);
    if (!whole_row) {
      score(r);
      order_.resize(k_alike_.size());
      std::iota(order_.begin(), order_.end(), 0);
      std::sort(order_.begin(), order_.end(), [&](std::int32_t a, std::int32_t b) {
        const float pa = probabilities_[static_cast<std::size_t>(a)];
        const float pb = probabilities_[static_cast<std::size_t>(b)];
        return pa != pb ? pa > pb : a < b;
      });
      const std::int64_t taken = count();
      for (std::int64_t m = 0; m < taken; ++m) {
        keep[static_cast<std::size_t>(order_[static_cast<std::size_t>(m)])] = 1;
      }
      for (std::size_t c = 0; c < keep.size(); ++c) keep[c] = keep[c] != 0 || !k_alike_[c];
    }
    for (std::size_t c = 0; c < keep.size(); ++c) {
      keep[c] = keep[c] != 0 && causal_allows(r, static_cast<std::int64_t>(c));
    }
    if (settings_.attention_sink) keep[0] = 1;
  }

  const SpargeSettings& settings_;
  const PatternInput& input_;
  BlockAxis rows_;
  BlockAxis columns_;
  PooledBlocks q_;
  PooledBlocks k_;
  std::vector<bool> q_alike_;
  std::vector<bool> k_alike_;
  std::vector<float> scores_;
  std::vector<float> probabilities_;
  std::vector<std::int32_t> order_;
};

}  // namespace

BlockMap sparge_map(const SpargeSettings& settings, const PatternInput& input) {
  return HeadMap(settings, input).make();
}

}  // namespace lvsa::sparse
