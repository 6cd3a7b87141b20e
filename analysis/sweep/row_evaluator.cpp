#include "analysis/sweep/row_evaluator.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lvsa::analysis {
namespace {

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
      width_((dim_ + kPartialsSums - 1) / kPartialsSums * kPartialsSums),
      table_((slots + 1) * width_, 0.0),
      totals_((slots + 1) * 2, 0.0),
      dense_(width_, 0.0) {
  for (auto* numbers : {&mass_, &logs_, &log_mass_, &l1_, &l2_, &dot_, &norm_}) {
    numbers->resize(sets);
  }
}

DenseFigures RowEvaluator::evaluate(const FramePartials& partials, std::size_t row,
                                    const FrameSets& sets, std::span<SetFigures> figures) {
  partials_ = &partials;
  sets_ = &sets;
  row_ = row;
  weigh_cells();
  const PartialsTable table{table_.data(), totals_.data(), static_cast<std::int64_t>(width_)};
  const PartialsCombine combine{table, sets.adds().data(),
                                static_cast<std::int64_t>(sets.adds().size()),
                                static_cast<std::int64_t>(sets.nothing()) + 1};
  loops_.combine(&combine);
  const DenseFigures dense = make_dense();
  const auto count = static_cast<std::int64_t>(sets.sets().size());
  const PartialsCompare compare{table,        sets.sets().data(), count,      dense_.data(),
                                mass_.data(), logs_.data(),       l1_.data(), l2_.data(),
                                dot_.data(),  norm_.data()};
  loops_.compare(&compare);
  loops_.log_array(mass_.data(), log_mass_.data(), count);
  fill_figures(figures);
  return dense;
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
  for (std::size_t c = 0; c < cells; ++c) {
    weight_[c] *= l[c];
    totals_[2 * c] = weight_[c];
    totals_[2 * c + 1] = weight_[c] * log_weight_[c];
    loops_.scale(partials_->out.data() + (row_ * cells + c) * dim_, weight_[c],
                 static_cast<std::int64_t>(dim_), table_.data() + c * width_);
  }
  // Nothing; and the text, where the partials have none.
  for (std::size_t slot = cells; slot <= sets_->nothing(); ++slot) {
    totals_[2 * slot] = totals_[2 * slot + 1] = 0.0;
    std::fill_n(table_.data() + slot * width_, width_, 0.0);
  }
}

DenseFigures RowEvaluator::make_dense() {
  const std::size_t slot = sets_->slots();  // one more than the sets need
  const PartialsCombine combine{{table_.data(), totals_.data(), static_cast<std::int64_t>(width_)},
                                sets_->sets().data(),
                                1,
                                static_cast<std::int64_t>(slot)};
  loops_.combine(&combine);
  total_ = totals_[2 * slot];
  loops_.log_array(&total_, &log_total_, 1);
  loops_.scale(table_.data() + slot * width_, 1.0 / total_, static_cast<std::int64_t>(width_),
               dense_.data());
  DenseFigures dense;
  dense.entropy = std::max(0.0, log_total_ - totals_[2 * slot + 1] / total_);
  dense.least = dense.most = dense_[0];
  for (std::size_t c = 0; c < dim_; ++c) {
    dense.l1 += std::fabs(dense_[c]);
    dense.norm += dense_[c] * dense_[c];
    dense.least = std::min(dense.least, dense_[c]);
    dense.most = std::max(dense.most, dense_[c]);
  }
  dense_norm_ = dense.norm;
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
                  mass / total_,
                  log_total_ - log_mass_[s],
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
  figures.lse_shift = (top_ - top) + (log_total_ - log_mass);
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

std::vector<double> RowEvaluator::output(std::uint32_t set) const {
  const SlotPair pair = sets_->sets()[set];
  const double mass = totals_[2 * pair.left] + totals_[2 * pair.right];
  SetFigures unused{};
  if (!(mass >= kFaint)) return faint_output(set, unused);
  const double factor = 1.0 / mass;
  std::vector<double> out(dim_);
  for (std::size_t c = 0; c < dim_; ++c) {
    out[c] = (table_[pair.left * width_ + c] + table_[pair.right * width_ + c]) * factor;
  }
  return out;
}

}  // namespace lvsa::analysis
