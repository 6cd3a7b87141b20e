#include "analysis/sweep/pattern_row_sums.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace lvsa::analysis {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Weights are relative to the row's largest score; what has less mass than this is summed again
// relative to its own.
constexpr double kFaint = 0x1p-333;

double cosine_of(double dot, double norm, double dense_norm) {
  if (!(norm > 0.0) || !(dense_norm > 0.0)) return kInfinity;
  return std::clamp(dot / (std::sqrt(norm) * std::sqrt(dense_norm)), -1.0, 1.0);
}

}  // namespace

PatternRowSums::PatternRowSums(const KeyTiles& tiles, const ValueTable& values,
                               const PartialsLoops& loops, std::size_t patterns)
    : tiles_(tiles),
      values_(values),
      loops_(loops),
      weights_(static_cast<std::size_t>(tiles.tokens())),
      tile_out_(static_cast<std::size_t>(values.width)),
      sums_(patterns) {}

void PatternRowSums::clear() {
  const auto reset = [&](Sum& sum) {
    sum.out.assign(static_cast<std::size_t>(values_.width), 0.0);
    sum.mass.assign(static_cast<std::size_t>(tiles_.cells()), 0.0);
  };
  reset(dense_);
  for (Sum& sum : sums_) reset(sum);
}

void PatternRowSums::weigh(std::span<const double> scores, double top) {
  // exp_array() takes what is not above 0; tokens that a faint pattern does not attend may be.
  for (std::size_t j = 0; j < weights_.size(); ++j) weights_[j] = std::min(scores[j] - top, 0.0);
  loops_.exp_array(weights_.data(), weights_.data(), tiles_.tokens());
}

// Adds a tile's keys to the output and returns their mass; ascending, so that the same keys always
// give the same bits.
double PatternRowSums::add_keys(std::size_t tile, std::uint64_t keys, Sum& to) const {
  const std::int64_t begin = tiles_[tile].begin;
  std::fill(to.out.begin(), to.out.end(), 0.0);
  const PartialsGather gather{keys, weights_.data() + begin,
                              values_.values.data() + begin * values_.width, values_.width,
                              to.out.data()};
  loops_.gather(&gather);
  double mass = 0.0;
  for (std::uint64_t left = keys; left != 0; left &= left - 1) {
    mass += weights_[static_cast<std::size_t>(begin + std::countr_zero(left))];
  }
  return mass;
}

void PatternRowSums::add_tile(std::size_t tile, std::span<const std::uint64_t> words) {
  const auto cell = static_cast<std::size_t>(tiles_[tile].cell);
  const std::uint64_t all = tiles_[tile].all();
  const auto take = [&](Sum& to, const Sum& from, double mass) {
    to.mass[cell] += mass;
    for (std::size_t c = 0; c < to.out.size(); ++c) to.out[c] += from.out[c];
  };
  Sum whole{std::move(tile_out_), {}};
  const double whole_mass = add_keys(tile, all, whole);
  take(dense_, whole, whole_mass);
  for (std::size_t p = 0; p < sums_.size(); ++p) {
    if (words[p * tiles_.count() + tile] == all) take(sums_[p], whole, whole_mass);
  }
  for (std::size_t p = 0; p < sums_.size(); ++p) {
    const std::uint64_t keys = words[p * tiles_.count() + tile];
    if (keys == 0 || keys == all) continue;
    const double mass = add_keys(tile, keys, whole);
    take(sums_[p], whole, mass);
  }
  tile_out_ = std::move(whole.out);
}

double PatternRowSums::finish(Sum& sum) const {
  double mass = 0.0;
  for (const double of_cell : sum.mass) mass += of_cell;
  for (double& x : sum.out) x /= mass;
  return mass;
}

double PatternRowSums::log(double x) const {
  double result = 0.0;
  loops_.log_array(&x, &result, 1);
  return result;
}

double PatternRowSums::entropy(const Sum& sum, double mass) const {
  double logs = 0.0;
  for (const double of_cell : sum.mass) {
    if (of_cell >= std::numeric_limits<double>::min()) logs += of_cell * log(of_cell);
  }
  return std::max(0.0, log(mass) - logs / mass);
}

void PatternRowSums::compare(const Sum& sum, SetFigures& figures) const {
  for (std::size_t c = 0; c < static_cast<std::size_t>(values_.dim); ++c) {
    const double difference = sum.out[c] - dense_.out[c];
    figures.l1 += std::fabs(difference);
    figures.l2 += difference * difference;
    figures.dot += sum.out[c] * dense_.out[c];
    figures.norm += sum.out[c] * sum.out[c];
  }
  figures.cosine = cosine_of(figures.dot, figures.norm, dense_norm_);
}

DenseFigures PatternRowSums::dense_figures(double mass) const {
  DenseFigures dense;
  dense.entropy = entropy(dense_, mass);
  dense.least = dense.most = dense_.out[0];
  for (std::size_t c = 0; c < static_cast<std::size_t>(values_.dim); ++c) {
    dense.l1 += std::fabs(dense_.out[c]);
    dense.norm += dense_.out[c] * dense_.out[c];
    dense.least = std::min(dense.least, dense_.out[c]);
    dense.most = std::max(dense.most, dense_.out[c]);
  }
  return dense;
}

DenseFigures PatternRowSums::evaluate(std::span<const double> scores,
                                      std::span<const std::uint64_t> words,
                                      std::span<SetFigures> figures) {
  clear();
  top_ = *std::max_element(scores.begin(), scores.end());
  weigh(scores, top_);
  for (std::size_t tile = 0; tile < tiles_.count(); ++tile) add_tile(tile, words);
  const double dense_mass = finish(dense_);
  log_mass_ = log(dense_mass);
  const DenseFigures dense = dense_figures(dense_mass);
  dense_norm_ = dense.norm;
  std::vector<std::size_t> faint;
  for (std::size_t p = 0; p < sums_.size(); ++p) {
    double mass = 0.0;
    for (const double of_cell : sums_[p].mass) mass += of_cell;
    if (!(mass >= kFaint)) {
      faint.push_back(p);
      continue;
    }
    finish(sums_[p]);
    figures[p] = {};
    figures[p].recall = mass / dense_mass;
    figures[p].lse_shift = log_mass_ - log(mass);
    figures[p].entropy = entropy(sums_[p], mass);
    compare(sums_[p], figures[p]);
  }
  for (const std::size_t p : faint) {
    figures[p] = faint_figures(scores, words.subspan(p * tiles_.count(), tiles_.count()));
  }
  return dense;
}

SetFigures PatternRowSums::faint_figures(std::span<const double> scores,
                                         std::span<const std::uint64_t> words) {
  SetFigures figures{0.0, 0.0, 0.0, 0.0, 0.0, kInfinity, 0.0, kInfinity};
  double top = -kInfinity;
  for (std::size_t t = 0; t < tiles_.count(); ++t) {
    for (std::uint64_t left = words[t]; left != 0; left &= left - 1) {
      top = std::max(top, scores[static_cast<std::size_t>(tiles_[t].begin) +
                                 static_cast<std::size_t>(std::countr_zero(left))]);
    }
  }
  Sum sum{std::vector<double>(dense_.out.size(), 0.0),
          std::vector<double>(dense_.mass.size(), 0.0)};
  if (top > -kInfinity) {
    weigh(scores, top);
    Sum tile{tile_out_, {}};
    for (std::size_t t = 0; t < tiles_.count(); ++t) {
      if (words[t] == 0) continue;
      sum.mass[static_cast<std::size_t>(tiles_[t].cell)] += add_keys(t, words[t], tile);
      for (std::size_t c = 0; c < sum.out.size(); ++c) sum.out[c] += tile.out[c];
    }
    const double mass = finish(sum);
    figures.entropy = entropy(sum, mass);
    figures.lse_shift = (top_ - top) + (log_mass_ - log(mass));
    const double minus = std::min(0.0, -figures.lse_shift);
    loops_.exp_array(&minus, &figures.recall, 1);
  }
  compare(sum, figures);
  return figures;
}

}  // namespace lvsa::analysis
