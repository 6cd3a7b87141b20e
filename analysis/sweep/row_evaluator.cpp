#include "analysis/sweep/row_evaluator.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lvsa::analysis {
namespace {

constexpr std::size_t kSums = kPartialsSums;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Weights are taken relative to the row's largest score, so those of a set far below it would be
// too small for a double. Sets with less mass than this are evaluated relative to their own.
constexpr double kFaint = 0x1p-333;

double cosine_of(double dot, double norm, double dense_norm) {
  if (!(norm > 0.0) || !(dense_norm > 0.0)) return kInfinity;
  return std::clamp(dot / (std::sqrt(norm) * std::sqrt(dense_norm)), -1.0, 1.0);
}

}  // namespace

RowEvaluator::RowEvaluator(std::int64_t head_dim, std::size_t slots, std::size_t sets,
                           const PartialsLoops& loops)
    : loops_(loops),
      dim_(static_cast<std::size_t>(head_dim)),
      width_((dim_ + kSums - 1) / kSums * kSums),
      table_(slots * kSums, 0.0),
      totals_(slots * 2, 0.0),
      dense_(width_, 0.0) {
  for (auto* numbers : {&mass_, &logs_, &log_mass_, &factor_, &l1_, &l2_, &dot_, &norm_}) {
    numbers->resize(sets + kSums);
  }
}

DenseFigures RowEvaluator::evaluate(const FramePartials& partials, std::size_t row,
                                    const FrameSets& sets, std::span<SetFigures> figures) {
  partials_ = &partials;
  sets_ = &sets;
  row_ = row;
  weigh_cells();
  add_totals();
  for (auto* sums : {&l1_, &l2_, &dot_, &norm_}) std::fill(sums->begin(), sums->end(), 0.0);
  const auto count = static_cast<std::int64_t>(sets.sets().size());
  const SlotPair all = sets.sets()[0];
  for (std::size_t column = 0; column < dim_; column += kSums) {
    fill_strip(column);
    double* const dense = dense_.data() + column;
    for (std::size_t c = 0; c < kSums; ++c) {
      dense[c] = (table_[all.left * kSums + c] + table_[all.right * kSums + c]) * factor_[0];
    }
    const PartialsCompare compare{table_.data(), sets.sets().data(), count,      factor_.data(),
                                  dense,         l1_.data(),         l2_.data(), dot_.data(),
                                  norm_.data()};
    loops_.compare(&compare);
  }
  const DenseFigures of_dense = dense_figures();
  dense_norm_ = of_dense.norm;
  fill_figures(figures);
  return of_dense;
}

void RowEvaluator::weigh_cells() {
  const auto cells = static_cast<std::size_t>(partials_->cells);
  const double* const m = partials_->max_score.data() + row_ * cells;
  const double* const l = partials_->normaliser.data() + row_ * cells;
  top_ = *std::max_element(m, m + cells);
  weight_.resize(cells);
  log_weight_.resize(cells);
  for (std::size_t c = 0; c < cells; ++c) weight_[c] = m[c] - top_;
  loops_.log_array(l, log_weight_.data(), partials_->cells);
  for (std::size_t c = 0; c < cells; ++c) log_weight_[c] += weight_[c];
  loops_.exp_array(weight_.data(), weight_.data(), partials_->cells);
  for (std::size_t c = 0; c < cells; ++c) weight_[c] *= l[c];
}

void RowEvaluator::add_totals() {
  const std::size_t cells = weight_.size();
  for (std::size_t c = 0; c < cells; ++c) {
    totals_[2 * c] = weight_[c];
    totals_[2 * c + 1] = weight_[c] * log_weight_[c];
  }
  // Nothing; and the text, where the partials have none.
  std::size_t slot = cells;
  for (; slot <= sets_->nothing(); ++slot) totals_[2 * slot] = totals_[2 * slot + 1] = 0.0;
  for (const SlotPair pair : sets_->adds()) {
    totals_[2 * slot] = totals_[2 * pair.left] + totals_[2 * pair.right];
    totals_[2 * slot + 1] = totals_[2 * pair.left + 1] + totals_[2 * pair.right + 1];
    ++slot;
  }
  const std::vector<SlotPair>& sets = sets_->sets();
  for (std::size_t s = 0; s < sets.size(); ++s) {
    mass_[s] = totals_[2 * sets[s].left] + totals_[2 * sets[s].right];
    logs_[s] = totals_[2 * sets[s].left + 1] + totals_[2 * sets[s].right + 1];
    factor_[s] = 1.0 / mass_[s];
  }
  loops_.log_array(mass_.data(), log_mass_.data(), static_cast<std::int64_t>(sets.size()));
}

// The sums of columns column .. column + kSums - 1.
void RowEvaluator::fill_strip(std::size_t column) {
  const std::size_t cells = weight_.size();
  const std::size_t due = std::min(kSums, dim_ - column);
  std::fill_n(table_.data(), (sets_->nothing() + std::size_t{1}) * kSums, 0.0);
  for (std::size_t c = 0; c < cells; ++c) {
    loops_.scale(partials_->out.data() + (row_ * cells + c) * dim_ + column, weight_[c],
                 static_cast<std::int64_t>(due), table_.data() + c * kSums);
  }
  const PartialsCombine combine{table_.data(), sets_->adds().data(),
                                static_cast<std::int64_t>(sets_->adds().size()),
                                static_cast<std::int64_t>(sets_->nothing()) + 1};
  loops_.combine(&combine);
}

DenseFigures RowEvaluator::dense_figures() const {
  DenseFigures dense;
  dense.entropy = std::max(0.0, log_mass_[0] - logs_[0] / mass_[0]);
  dense.least = dense.most = dense_[0];
  for (std::size_t c = 0; c < dim_; ++c) {
    dense.l1 += std::fabs(dense_[c]);
    dense.norm += dense_[c] * dense_[c];
    dense.least = std::min(dense.least, dense_[c]);
    dense.most = std::max(dense.most, dense_[c]);
  }
  return dense;
}

void RowEvaluator::fill_figures(std::span<SetFigures> figures) {
  const std::size_t count = sets_->sets().size();
  for (std::size_t s = 0; s < count; ++s) {
    const double mass = mass_[s];
    if (!(mass >= kFaint)) {
      figures[s] = faint_figures(static_cast<std::uint32_t>(s));
      continue;
    }
    figures[s] = {l1_[s],
                  l2_[s],
                  dot_[s],
                  norm_[s],
                  mass / mass_[0],
                  log_mass_[0] - log_mass_[s],
                  std::max(0.0, log_mass_[s] - logs_[s] / mass),
                  cosine_of(dot_[s], norm_[s], dense_norm_)};
  }
}

// Relative to the largest score of the set; cells in ascending order.
std::vector<double> RowEvaluator::faint_output(std::uint32_t set, SetFigures& figures) const {
  std::vector<double> out(dim_, 0.0);
  std::vector<std::int32_t> cells = sets_->cells_of(set);
  std::erase_if(cells, [&](std::int32_t c) { return c >= partials_->cells; });  // no text
  figures = {0.0, 0.0, 0.0, 0.0, 0.0, kInfinity, 0.0, kInfinity};
  if (cells.empty()) return out;
  const std::size_t base = row_ * static_cast<std::size_t>(partials_->cells);
  const auto at = [&](std::int32_t c) { return base + static_cast<std::size_t>(c); };
  double top = -kInfinity;
  for (const std::int32_t c : cells) top = std::max(top, partials_->max_score[at(c)]);
  double mass = 0.0;
  double logs = 0.0;
  for (const std::int32_t c : cells) {
    const double below = partials_->max_score[at(c)] - top;
    const double normaliser = partials_->normaliser[at(c)];
    double weight = 0.0;
    double log = 0.0;
    loops_.exp_array(&below, &weight, 1);
    loops_.log_array(&normaliser, &log, 1);
    weight *= normaliser;
    mass += weight;
    logs += weight * (below + log);
    const auto from = partials_->output(row_, c);
    for (std::size_t i = 0; i < dim_; ++i) out[i] += weight * from[i];
  }
  for (double& x : out) x /= mass;
  double log_mass = 0.0;
  loops_.log_array(&mass, &log_mass, 1);
  figures.lse_shift = (top_ - top) + (log_mass_[0] - log_mass);
  figures.entropy = std::max(0.0, log_mass - logs / mass);
  const double minus = std::min(0.0, -figures.lse_shift);
  loops_.exp_array(&minus, &figures.recall, 1);
  return out;
}

SetFigures RowEvaluator::faint_figures(std::uint32_t set) const {
  SetFigures figures{};
  const std::vector<double> out = faint_output(set, figures);
  for (std::size_t c = 0; c < dim_; ++c) {
    const double difference = out[c] - dense_[c];
    figures.l1 += std::fabs(difference);
    figures.l2 += difference * difference;
    figures.dot += out[c] * dense_[c];
    figures.norm += out[c] * out[c];
  }
  figures.cosine = cosine_of(figures.dot, figures.norm, dense_norm_);
  return figures;
}

std::vector<double> RowEvaluator::output(std::uint32_t set) {
  SetFigures unused{};
  if (!(mass_[set] >= kFaint)) return faint_output(set, unused);
  const SlotPair pair = sets_->sets()[set];
  std::vector<double> out(width_);
  for (std::size_t column = 0; column < dim_; column += kSums) {
    fill_strip(column);
    for (std::size_t c = 0; c < kSums; ++c) {
      out[column + c] =
          (table_[pair.left * kSums + c] + table_[pair.right * kSums + c]) * factor_[set];
    }
  }
  out.resize(dim_);
  return out;
}

}  // namespace lvsa::analysis
