#include "reference/attention/shadow_group.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "reference/attention/row_reader.hpp"
#include "reference/attention/shadow_scores.hpp"
#include "reference/attention/sum_steps.hpp"

namespace lvsa::reference {
namespace {

constexpr std::int64_t kBlockKeys = 64;

}  // namespace

ShadowGroup::ShadowGroup(const AttentionProblem& problem, const Schedule& schedule,
                         const ShadowErrors& errors)
    : problem_(problem),
      schedule_(schedule),
      errors_(errors),
      loops_(shadow_loops()),
      dim_(problem.q.shape[3]) {}

void ShadowGroup::add(const RowId& row, const RowResult& exact, ShadowRow& result) {
  rows_.push_back({row,
                   &exact,
                   &result,
                   std::vector<double>(static_cast<std::size_t>(dim_)),
                   {},
                   {},
                   {},
                   {},
                   {}});
  problem_.q.read_row(row.batch, row.token, row.head, rows_.back().query.data());
}

void ShadowGroup::replay() {
  if (rows_.empty()) return;
  find_keys();
  work_off();
}

void ShadowGroup::replay(const ShadowSequence& sequence) {
  tokens_ = sequence.tokens;
  tiles_ = sequence.tiles;
  places_ = sequence.places;
  work_off();
}

void ShadowGroup::work_off() {
  make_scores();
  for (Row& row : rows_) make_plan(row);
  add_values();
  for (Row& row : rows_) finish(row);
}

std::int64_t ShadowGroup::kv_head() const {
  return rows_.front().id.head / (problem_.q.shape[2] / problem_.k.shape[2]);
}

bool ShadowGroup::centred() const {
  return schedule_.sum_rounded_p || !PRounding(schedule_.p_dtype, false).rounds();
}

void ShadowGroup::find_keys() {
  const std::int64_t token = rows_.front().id.token;
  for (const auto& [begin, end] : visible_ranges(problem_, token)) {
    for (std::int64_t t = begin; t < end; ++t) tokens_.push_back(t);
  }
  const bool text = token >= problem_.grid.video_tokens();
  const std::int64_t frames =
      text
          ? problem_.grid.frames
          : static_cast<std::int64_t>(
                problem_.attended[static_cast<std::size_t>(token / problem_.grid.patches_per_frame)]
                    .size());
  tiles_ = shadow_tiles(problem_.grid, frames, schedule_);
  places_ = static_cast<std::int64_t>(tokens_.size());
}

void ShadowGroup::make_scores() {
  const auto keys = static_cast<std::int64_t>(tokens_.size());
  const std::size_t padded = tokens_.size() + kShadowPanel;
  for (Row& row : rows_) {
    row.scores.resize(padded);
    row.score_errors.resize(padded);
  }
  ShadowPanel panel(dim_);
  const RowReader reader(problem_.k, rows_.front().id.batch, kv_head());
  std::vector<double> block(static_cast<std::size_t>(kShadowPanel * dim_));
  for (std::int64_t first = 0; first < keys; first += kShadowPanel) {
    const std::int64_t count = std::min<std::int64_t>(kShadowPanel, keys - first);
    reader.read(tokens_.data() + first, count, keys - first - count, block.data(), dim_);
    for (std::int64_t i = 0; i < count; ++i) panel.set(i, block.data() + i * dim_);
    for (Row& row : rows_) {
      panel_scores(loops_, panel, row.query.data(), problem_.scale, errors_,
                   row.scores.data() + first, row.score_errors.data() + first);
    }
  }
  for (Row& row : rows_) {
    row.scores.resize(tokens_.size());
    row.score_errors.resize(tokens_.size());
  }
}

void ShadowGroup::make_plan(Row& row) {
  ShadowRow& result = *row.result;
  result.keys = static_cast<std::int64_t>(tokens_.size());
  result.places = places_;
  result.finite = std::all_of(row.scores.begin(), row.scores.end(),
                              [](double score) { return std::isfinite(score); });
  if (!result.finite || tokens_.empty()) return;
  std::vector<ShadowTile> tiles = tiles_;
  std::vector<std::int64_t> per_split(static_cast<std::size_t>(schedule_.splits), 0);
  for (const ShadowTile& tile : tiles) ++per_split[static_cast<std::size_t>(tile.split)];
  result.tiles = *std::max_element(per_split.begin(), per_split.end());
  const double steps = sum_steps(summed_keys(result.keys, places_, errors_.sum_step), result.tiles,
                                 schedule_.key_tile, errors_.sum_step);
  row.plan = plan_row(std::move(tiles), schedule_, errors_, row.scores, row.score_errors,
                      steps * errors_.accumulator);
  row.values.assign(row.plan.epochs.size() * static_cast<std::size_t>(dim_), 0.0);
  row.doubts.assign(row.values.size(), 0.0);
  result.max_eta = row.plan.max_eta;
  result.doubtful = row.plan.doubtful;
}

void ShadowGroup::add_values() {
  const std::vector<ShadowTile>* tiles = nullptr;
  for (const Row& row : rows_) {
    if (!row.plan.tiles.empty()) tiles = &row.plan.tiles;
  }
  if (tiles == nullptr) return;
  const RowReader reader(problem_.v, rows_.front().id.batch, kv_head());
  std::vector<double> block(static_cast<std::size_t>(kBlockKeys * dim_));
  for (std::size_t t = 0; t < tiles->size(); ++t) {
    const ShadowTile& tile = (*tiles)[t];
    for (std::int64_t first = tile.first; first < tile.last; first += kBlockKeys) {
      const std::int64_t count = std::min(kBlockKeys, tile.last - first);
      const auto behind = static_cast<std::int64_t>(tokens_.size()) - first - count;
      reader.read(tokens_.data() + first, count, behind, block.data(), dim_);
      for (Row& row : rows_) {
        if (!row.plan.tiles.empty()) add_tile(row, t, first, count, block);
      }
    }
  }
}

void ShadowGroup::add_tile(Row& row, std::size_t tile, std::int64_t first, std::int64_t count,
                           const std::vector<double>& block) const {
  const auto width = static_cast<std::size_t>(dim_);
  double* sum = row.values.data() + row.plan.epoch_of[tile] * width;
  double* doubt = row.doubts.data() + row.plan.epoch_of[tile] * width;
  const std::vector<double> none(width, 0.0);
  const double* centre = centred() ? row.exact->out.data() : none.data();
  loops_.add_values(row.plan.weight.data() + first, block.data(), count, dim_, sum);
  for (std::int64_t i = 0; i < count; ++i) {
    const double uncertain = row.plan.doubt[static_cast<std::size_t>(first + i)];
    if (uncertain == 0.0) continue;
    const double* value = block.data() + i * dim_;
    for (std::size_t c = 0; c < width; ++c) doubt[c] += uncertain * std::fabs(value[c] - centre[c]);
  }
}

}  // namespace lvsa::reference
