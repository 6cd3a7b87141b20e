#include "reference/attention/oracle_group.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace lvsa::reference {
namespace {

constexpr std::int64_t kBlock = 64;  // keys that are converted at a time; a multiple of a panel
static_assert(kBlock % kOraclePanel == 0);
// Whole panels are written behind a row's last key.
constexpr std::int64_t kSlack = kBlock + kOracleSums;

std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace

std::int64_t oracle_row_bytes(std::int64_t keys) {
  return 2 * static_cast<std::int64_t>(sizeof(double)) * (keys + kSlack);
}

OracleGroup::OracleGroup(const AttentionProblem& problem, std::span<const RowId> rows,
                         const ScoreErrorModel& errors, const OracleLoops& loops)
    : problem_(problem),
      rows_(rows),
      errors_(errors),
      loops_(loops),
      kv_head_(rows.front().head / (problem.q.shape[2] / problem.k.shape[2])),
      dim_(problem.q.shape[3]),
      width_(round_up(dim_, kOraclePanel)),
      states_(rows.size()),
      block_(static_cast<std::size_t>(kBlock * width_)),
      k_(problem.k, rows.front().batch, kv_head_),
      v_(problem.v, rows.front().batch, kv_head_),
      rows_read_(static_cast<std::size_t>(kBlock * dim_)),
      frame_sum_(static_cast<std::size_t>(width_)) {
  if (problem.key_ranges) {
    find_tokens();
  } else {
    find_runs();
  }
  place_rows();
}

void OracleGroup::find_tokens() {
  for (const auto& [begin, end] : visible_ranges(problem_, rows_.front())) {
    for (std::int64_t token = begin; token < end; ++token) tokens_.push_back(token);
  }
  if (tokens_.empty()) return;
  Run run{0, static_cast<std::int64_t>(tokens_.size()), {}};
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    run.active.push_back(r);
    states_[r].keys = run.end;
  }
  runs_.push_back(std::move(run));
}

void OracleGroup::find_runs() {
  const FrameGrid& grid = problem_.grid;
  const auto frames = static_cast<std::size_t>(grid.frames);
  std::vector<std::vector<std::size_t>> active(frames + 1);  // the text behind the frames
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    if (rows_[r].token >= grid.video_tokens()) {
      for (std::size_t f = 0; f < frames; ++f) active[f].push_back(r);
    } else {
      const std::int64_t frame = rows_[r].token / grid.patches_per_frame;
      for (const std::int32_t f : problem_.attended[static_cast<std::size_t>(frame)]) {
        active[static_cast<std::size_t>(f)].push_back(r);
      }
    }
    if (grid.text_tokens > 0) active[frames].push_back(r);
  }
  for (std::size_t f = 0; f <= frames; ++f) {
    if (active[f].empty()) continue;
    const std::int64_t begin = static_cast<std::int64_t>(f) * grid.patches_per_frame;
    const std::int64_t end = f < frames ? begin + grid.patches_per_frame : grid.seq_len();
    for (const std::size_t r : active[f]) states_[r].keys += end - begin;
    if (!runs_.empty() && runs_.back().end == begin && runs_.back().active == active[f]) {
      runs_.back().end = end;
    } else {
      runs_.push_back({begin, end, std::move(active[f])});
    }
  }
}

void OracleGroup::place_rows() {
  std::int64_t numbers = 0;
  for (const RowState& row : states_) numbers += 2 * (row.keys + kSlack);
  keys_ = std::make_unique_for_overwrite<double[]>(static_cast<std::size_t>(numbers));
  columns_.assign(states_.size() * static_cast<std::size_t>(6 * width_), 0.0);
  double* free_keys = keys_.get();
  double* free_columns = columns_.data();
  for (std::size_t r = 0; r < states_.size(); ++r) {
    RowState& row = states_[r];
    for (double** place : {&row.weight, &row.eta_weight}) {
      *place = free_keys;
      free_keys += row.keys + kSlack;
    }
    for (double** place :
         {&row.query, &row.out, &row.magnitude, &row.spread, &row.shift, &row.value_sum}) {
      *place = free_columns;
      free_columns += width_;
    }
    problem_.q.read_row(rows_[r].batch, rows_[r].token, rows_[r].head, row.query);
  }
}

template <typename Visit>
void OracleGroup::for_each_block(Visit visit) {
  for (RowState& row : states_) row.passed = 0;
  for (const Run& run : runs_) {
    for (std::int64_t token = run.begin; token < run.end; token += kBlock) {
      const std::int64_t count = std::min(kBlock, run.end - token);
      visit(run, token, count);
      for (const std::size_t r : run.active) states_[r].passed += count;
    }
  }
}

void OracleGroup::read(const RowReader& reader, std::int64_t token, std::int64_t count, double* out,
                       std::int64_t pitch) const {
  if (tokens_.empty()) {
    reader.read_run(token, count, ahead(token + count), out, pitch);
  } else {
    reader.read(tokens_.data() + token, count, ahead(token + count), out, pitch);
  }
}

// Into panels, the keys behind the last one zero.
void OracleGroup::load_keys(std::int64_t token, std::int64_t count) {
  const std::int64_t padded = round_up(count, kOraclePanel);
  read(k_, token, count, rows_read_.data(), dim_);
  std::fill(rows_read_.begin() + count * dim_, rows_read_.begin() + padded * dim_, 0.0);
  for (std::int64_t j = 0; j < padded; ++j) {
    double* place = block_.data() + j / kOraclePanel * kOraclePanel * dim_ + j % kOraclePanel;
    const double* row = rows_read_.data() + j * dim_;
    for (std::int64_t d = 0; d < dim_; ++d) place[d * kOraclePanel] = row[d];
  }
}

void OracleGroup::load_values(std::int64_t token, std::int64_t count) {
  read(v_, token, count, block_.data(), width_);
  for (std::int64_t j = 0; j < count && width_ > dim_; ++j) {
    std::fill(block_.data() + j * width_ + dim_, block_.data() + (j + 1) * width_, 0.0);
  }
}

void OracleGroup::make_scores() {
  std::vector<const double*> queries;
  std::vector<double*> products;
  std::vector<double*> magnitudes;
  for_each_block([&](const Run& run, std::int64_t token, std::int64_t count) {
    queries.clear();
    products.clear();
    magnitudes.clear();
    for (const std::size_t r : run.active) {
      queries.push_back(states_[r].query);
      products.push_back(states_[r].weight + states_[r].passed);
      magnitudes.push_back(states_[r].eta_weight + states_[r].passed);
    }
    load_keys(token, count);
    const OracleScoreArgs args{queries.data(),
                               static_cast<std::int64_t>(queries.size()),
                               block_.data(),
                               round_up(count, kOraclePanel) / kOraclePanel,
                               dim_,
                               products.data(),
                               magnitudes.data()};
    loops_.score(&args);
  });
}

// sum |v| runs over each frame first and over the frames then: the same for every row.
void OracleGroup::sum_values(const Run& run, std::int64_t token, std::int64_t count) {
  if (!tokens_.empty()) {  // the same keys for all rows
    loops_.add_absolute(block_.data(), count, width_, frame_sum_.data());
    if (token + count < run.end) return;
    for (const RowState& row : states_) {
      std::copy(frame_sum_.begin(), frame_sum_.end(), row.value_sum);
    }
    return;
  }
  const FrameGrid& grid = problem_.grid;
  const std::int64_t end = token + count;
  for (std::int64_t from = token; from < end;) {
    const std::int64_t frame = from / grid.patches_per_frame;
    const std::int64_t frame_end =
        frame < grid.frames ? (frame + 1) * grid.patches_per_frame : grid.seq_len();
    const std::int64_t to = std::min(end, frame_end);
    loops_.add_absolute(block_.data() + (from - token) * width_, to - from, width_,
                        frame_sum_.data());
    if (to == frame_end) {
      for (const std::size_t r : run.active) {
        for (std::int64_t c = 0; c < width_; ++c) {
          states_[r].value_sum[c] += frame_sum_[static_cast<std::size_t>(c)];
        }
      }
      std::fill(frame_sum_.begin(), frame_sum_.end(), 0.0);
    }
    from = to;
  }
}

void OracleGroup::add_values(std::span<const RowResult> results) {
  std::vector<const double*> weights;
  std::vector<double*> out;
  std::vector<double*> magnitude;
  for_each_block([&](const Run& run, std::int64_t token, std::int64_t count) {
    weights.clear();
    out.clear();
    magnitude.clear();
    for (const std::size_t r : run.active) {
      weights.push_back(states_[r].weight + states_[r].passed);
      out.push_back(states_[r].out);
      magnitude.push_back(states_[r].magnitude);
    }
    load_values(token, count);
    const OracleValueArgs args{weights.data(),  static_cast<std::int64_t>(weights.size()),
                               block_.data(),   count,
                               width_,          out.data(),
                               magnitude.data()};
    loops_.add_values(&args);
    sum_values(run, token, count);
  });
  for (std::size_t r = 0; r < states_.size(); ++r) {
    if (states_[r].keys == 0) continue;
    for (double* column : {states_[r].out, states_[r].magnitude, states_[r].value_sum}) {
      for (std::int64_t c = 0; c < width_; ++c) column[c] /= results[r].normaliser;
    }
  }
}

// Centred at the result, which is why it takes a second pass over V.
void OracleGroup::add_deviations() {
  std::vector<const double*> weights;
  std::vector<const double*> eta_weights;
  std::vector<const double*> centres;
  std::vector<double*> spreads;
  std::vector<double*> shifts;
  for_each_block([&](const Run& run, std::int64_t token, std::int64_t count) {
    weights.clear();
    eta_weights.clear();
    centres.clear();
    spreads.clear();
    shifts.clear();
    for (const std::size_t r : run.active) {
      weights.push_back(states_[r].weight + states_[r].passed);
      eta_weights.push_back(states_[r].eta_weight + states_[r].passed);
      centres.push_back(states_[r].out);
      spreads.push_back(states_[r].spread);
      shifts.push_back(states_[r].shift);
    }
    load_values(token, count);
    const OracleDeviationArgs args{weights.data(),
                                   eta_weights.data(),
                                   static_cast<std::int64_t>(weights.size()),
                                   block_.data(),
                                   count,
                                   width_,
                                   centres.data(),
                                   spreads.data(),
                                   shifts.data()};
    loops_.add_deviations(&args);
  });
}

}  // namespace lvsa::reference
