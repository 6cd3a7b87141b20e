#include "tests/analysis/schedule_emulation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace schedule_test {
namespace {

using lvsa::reference::AttentionProblem;
using lvsa::reference::RowId;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLog2e = 1.44269504F;

std::vector<double> positive_numbers(int significand_bits, int min_exponent, double largest) {
  std::vector<double> numbers;
  const int steps = 1 << (significand_bits - 1);
  for (int i = 0; i < steps; ++i) {
    numbers.push_back(std::ldexp(i, min_exponent - significand_bits + 1));
  }
  for (int e = min_exponent; e <= 16 && numbers.back() < largest; ++e) {
    for (int i = 0; i < steps; ++i) {
      numbers.push_back(std::ldexp(steps + i, e - significand_bits + 1));
    }
  }
  while (numbers.back() > largest) numbers.pop_back();
  return numbers;
}

const std::vector<double>& numbers_of(lvsa_dtype dtype) {
  static const std::map<lvsa_dtype, std::vector<double>> tables = {
      {LVSA_BF16, positive_numbers(8, -126, 65536.0)},
      {LVSA_F16, positive_numbers(11, -14, 65504.0)},
      {LVSA_E4M3, positive_numbers(4, -6, 448.0)},
      {LVSA_E5M2, positive_numbers(3, -14, 57344.0)}};
  return tables.at(dtype);
}

class Emulation {
 public:
  Emulation(const AttentionProblem& problem, const RowId& row, const lvsa_numerics& numerics,
            const Liberty& liberty, std::uint32_t seed)
      : problem_(problem), row_(row), n_(numerics), liberty_(liberty), random_(seed) {}

  EmulatedRow run() {
    find_keys();
    make_scores();
    cut_tiles();
    const std::int32_t splits = std::max(1, n_.split_keys);
    std::vector<EmulatedRow> parts;
    for (std::int32_t i = 0; i < splits; ++i) parts.push_back(run_split(i));
    return splits == 1 ? parts.front() : merge(parts);
  }

 private:
  struct Tile {
    std::vector<std::size_t> keys;
    std::int32_t split = 0;
  };

  float rounded(double value) const {
    auto near = static_cast<float>(value);
    if (liberty_.truncates && std::fabs(static_cast<double>(near)) > std::fabs(value)) {
      near = std::nextafterf(near, 0.0F);
    }
    return near;
  }
  float add(float a, double b) const { return rounded(static_cast<double>(a) + b); }

  // 2^x for x <= 0 and a little above, as bad as declared; exact at 0.
  float exp2_of(float x) {
    if (x == 0.0F) return 1.0F;
    int push = liberty_.exp_push;
    if (push == 2) push = static_cast<int>(random_() % 3) - 1;
    // One unit is kept for the rounding of the result.
    const double error = (n_.exp_ulps - 1.0) * push * 0x1p-24;
    return static_cast<float>(std::exp2(static_cast<double>(x)) * (1.0 + error));
  }

  void find_keys() {
    const auto& grid = problem_.grid;
    const std::int64_t video = grid.frames * grid.patches_per_frame;
    const std::int64_t frame = row_.token / grid.patches_per_frame;
    for (std::int32_t f = 0; f < grid.frames; ++f) {
      const bool attends =
          row_.token >= video ||
          std::count(problem_.attended[static_cast<std::size_t>(frame)].begin(),
                     problem_.attended[static_cast<std::size_t>(frame)].end(), f) > 0;
      if (!attends) continue;
      pieces_.emplace_back();
      for (std::int64_t i = 0; i < grid.patches_per_frame; ++i) {
        pieces_.back().push_back(tokens_.size());
        tokens_.push_back(f * grid.patches_per_frame + i);
      }
    }
    pieces_.emplace_back();
    for (std::int64_t i = 0; i < grid.text_tokens; ++i) {
      pieces_.back().push_back(tokens_.size());
      tokens_.push_back(video + i);
    }
  }

  // Scores without the factor where the shift is fused, else in natural units.
  void make_scores() {
    const std::int64_t dim = problem_.q.shape[3];
    std::vector<double> q(static_cast<std::size_t>(dim));
    std::vector<double> k(q.size());
    problem_.q.read_row(row_.batch, row_.token, row_.head, q.data());
    const std::int64_t head = row_.head / (problem_.q.shape[2] / problem_.k.shape[2]);
    for (const std::int64_t token : tokens_) {
      problem_.k.read_row(row_.batch, token, head, k.data());
      float sum = 0.0F;
      for (std::int64_t first = 0; first < dim; first += n_.score_step) {
        double part = 0.0;
        for (std::int64_t d = first; d < std::min<std::int64_t>(first + n_.score_step, dim); ++d) {
          part += q[static_cast<std::size_t>(d)] * k[static_cast<std::size_t>(d)];
        }
        sum = add(sum, part);
      }
      scores_.push_back(liberty_.fused_shift ? sum : sum * static_cast<float>(problem_.scale));
    }
  }

  void cut_tiles() {
    if (n_.tiles_cross_frames != 0) {
      std::vector<std::vector<std::size_t>> joined(1);
      const bool all = n_.tiles_cross_frames == 1;
      for (std::size_t i = 0; i + (all ? 0 : 1) < pieces_.size(); ++i) {
        joined[0].insert(joined[0].end(), pieces_[i].begin(), pieces_[i].end());
      }
      if (!all) joined.push_back(pieces_.back());
      pieces_ = joined;
    }
    const bool text_first = n_.key_order == LVSA_KEYS_TEXT_FIRST;
    if (text_first) std::rotate(pieces_.begin(), pieces_.end() - 1, pieces_.end());
    for (const auto& piece : pieces_) {
      for (std::size_t i = 0; i < piece.size(); ++i) {
        if (i % static_cast<std::size_t>(n_.key_tile) == 0) tiles_.emplace_back();
        tiles_.back().keys.push_back(piece[i]);
      }
    }
    if (n_.key_order == LVSA_KEYS_DESCENDING) std::reverse(tiles_.begin(), tiles_.end());
    for (std::size_t i = 0; i < tiles_.size() && n_.split_keys > 1; ++i) {
      const auto at = static_cast<std::int64_t>(i);
      tiles_[i].split = static_cast<std::int32_t>(
          n_.split_rule == LVSA_SPLIT_ROUND_ROBIN
              ? at % n_.split_keys
              : std::min<std::int64_t>(at / n_.split_tiles, n_.split_keys - 1));
    }
    if (!liberty_.reversed) return;
    for (Tile& tile : tiles_) std::reverse(tile.keys.begin(), tile.keys.end());
  }

  float factor() const { return static_cast<float>(problem_.scale) * kLog2e; }
  // The exponential of score less maximum.
  float weight(float score, float max) {
    if (!liberty_.fused_shift) return exp2_of((score - max) * kLog2e);
    return exp2_of(std::fma(score, factor(), -(max * factor())));
  }
  float p_of(float p) const {
    if (n_.p_dtype == LVSA_F32) return p;
    const double scale = std::ldexp(1.0, n_.p_scale_log2);
    return static_cast<float>(round_by_table(n_.p_dtype, static_cast<double>(p) * scale,
                                             n_.p_rounding == LVSA_P_TOWARD_ZERO) /
                              scale);
  }

  EmulatedRow run_split(std::int32_t split) {
    const std::int64_t dim = problem_.v.shape[3];
    const std::int64_t head = row_.head / (problem_.q.shape[2] / problem_.k.shape[2]);
    std::vector<float> sums(static_cast<std::size_t>(dim), 0.0F);
    std::vector<double> v(sums.size());
    float max = -kInfinity;
    float total = 0.0F;
    float divisor = 1.0F;
    if (n_.max_rule == LVSA_MAX_FINAL) {
      for (const Tile& tile : tiles_) {
        for (const std::size_t j : tile.keys) {
          if (tile.split == split) max = std::max(max, scores_[j]);
        }
      }
    }
    if (n_.normalise_first != 0) {
      divisor = 0.0F;
      for (const Tile& tile : tiles_) {
        float part = liberty_.carried ? divisor : 0.0F;
        for (const std::size_t j : tile.keys) {
          part = add(part, static_cast<double>(weight(scores_[j], max)));
        }
        divisor = liberty_.carried ? part : add(divisor, static_cast<double>(part));
      }
    }
    for (const Tile& tile : tiles_) {
      if (tile.split != split) continue;
      const float before = max;
      for (const std::size_t j : tile.keys) max = std::max(max, scores_[j]);
      float rescale = before == -kInfinity ? 0.0F : 1.0F;
      if (before != -kInfinity && n_.max_rule == LVSA_MAX_RUNNING) rescale = weight(before, max);
      std::vector<float> part(sums.size(), 0.0F);
      float part_total = 0.0F;
      if (liberty_.carried) {
        part_total = total * rescale;
        for (std::size_t c = 0; c < sums.size(); ++c) part[c] = sums[c] * rescale;
        total = rescale = 0.0F;
      }
      for (const std::size_t j : tile.keys) {
        const float exact = weight(scores_[j], max) / divisor;
        const float p = p_of(exact);
        part_total = add(part_total, static_cast<double>(n_.sum_rounded_p != 0 ? p : exact));
        problem_.v.read_row(row_.batch, tokens_[j], head, v.data());
        for (std::size_t c = 0; c < sums.size(); ++c) {
          part[c] = add(part[c], static_cast<double>(p) * v[c]);
        }
      }
      total = add(total * rescale, static_cast<double>(part_total));
      for (std::size_t c = 0; c < sums.size(); ++c) {
        sums[c] = add(sums[c] * rescale, static_cast<double>(part[c]));
      }
    }
    EmulatedRow result;
    const bool normalised = n_.normalise_first != 0;
    for (const float sum : sums) result.out.push_back(normalised ? sum : sum / total);
    const float natural = liberty_.fused_shift ? max * static_cast<float>(problem_.scale) : max;
    result.lse = max == -kInfinity ? -kInfinity : natural + std::log(normalised ? divisor : total);
    return result;
  }

  EmulatedRow merge(const std::vector<EmulatedRow>& parts) {
    float top = -kInfinity;
    for (const EmulatedRow& part : parts) top = std::max(top, part.lse);
    EmulatedRow merged;
    merged.out.assign(parts.front().out.size(), 0.0F);
    float total = 0.0F;
    for (const EmulatedRow& part : parts) {
      if (part.lse == -kInfinity) continue;
      const float share = exp2_of((part.lse - top) * kLog2e);
      total = add(total, static_cast<double>(share));
      for (std::size_t c = 0; c < merged.out.size(); ++c) {
        double kept = static_cast<double>(part.out[c]);
        if (n_.partial_dtype != LVSA_F32) {
          kept = std::copysign(round_by_table(n_.partial_dtype, std::fabs(kept), false), kept);
        }
        merged.out[c] = add(merged.out[c], static_cast<double>(share) * kept);
      }
    }
    for (float& value : merged.out) value /= total;
    merged.lse = top + std::log(total);
    return merged;
  }

  const AttentionProblem& problem_;
  const RowId& row_;
  const lvsa_numerics& n_;
  const Liberty& liberty_;
  std::mt19937 random_;
  std::vector<std::int64_t> tokens_;
  std::vector<std::vector<std::size_t>> pieces_;  // frames, then the text
  std::vector<float> scores_;
  std::vector<Tile> tiles_;
};

}  // namespace

double round_by_table(lvsa_dtype dtype, double value, bool toward_zero) {
  const std::vector<double>& numbers = numbers_of(dtype);
  const auto above = std::upper_bound(numbers.begin(), numbers.end(), value);
  if (above == numbers.end()) return numbers.back();
  const auto below = above - 1;
  if (toward_zero || value == *below) return *below;
  const double down = value - *below;
  const double up = *above - value;
  const bool even_below = (below - numbers.begin()) % 2 == 0;
  return down < up || (down == up && even_below) ? *below : *above;
}

EmulatedRow emulate(const AttentionProblem& problem, const RowId& row,
                    const lvsa_numerics& numerics, const Liberty& liberty, std::uint32_t seed) {
  return Emulation(problem, row, numerics, liberty, seed).run();
}

}  // namespace schedule_test
