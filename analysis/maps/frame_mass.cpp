#include "analysis/maps/frame_mass.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "reference/attention/exact_log.hpp"

namespace lvsa::analysis {

FrameMassSum::FrameMassSum(const FrameGrid& grid)
    : grid_(grid),
      rows_(static_cast<std::size_t>(grid.frames)),
      mass_(static_cast<std::size_t>(grid.frames * key_groups(grid))) {}

void FrameMassSum::add(std::span<const RowMass> rows) {
  const auto groups = static_cast<std::size_t>(key_groups(grid_));
  for (const RowMass& row : rows) {
    const auto frame = static_cast<std::size_t>(row.token / grid_.patches_per_frame);
    ++rows_[frame];
    for (std::size_t g = 0; g < groups; ++g) mass_[frame * groups + g] += row.mass[g];
    for (std::size_t g = 0; g < row.near_mass.size(); ++g) {
      if (g != frame) near_ += row.near_mass[g];
    }
    entropy_ += row.entropy;
  }
}

FrameMass FrameMassSum::mass() const {
  for (const std::int64_t rows : rows_) {
    if (rows >= 1 && rows == rows_.front()) continue;
    throw Error(ErrorKind::kValue,
                fmt::format("{} and {} rows of two query frames: as many of each, at least one, "
                            "are due",
                            rows_.front(), rows));
  }
  FrameMass result{grid_, rows_.front(), {}, {}};
  const auto groups = static_cast<std::size_t>(key_groups(grid_));
  const auto frames = static_cast<std::size_t>(grid_.frames);
  const auto count = static_cast<double>(rows_.front());
  for (std::size_t f = 0; f < frames; ++f) {
    const double* const row = mass_.data() + f * groups;
    for (std::size_t k = 0; k < frames; ++k) result.mass.push_back(row[k] / count);
    if (groups > frames) result.text.push_back(row[frames] / count);
  }
  return result;
}

HeadStatistics FrameMassSum::statistics() const {
  const FrameMass mean = mass();
  const std::int64_t frames = grid_.frames;
  const auto count = static_cast<double>(frames);
  HeadStatistics s;
  double video = 0.0;
  double distance = 0.0;
  std::vector<double> received(static_cast<std::size_t>(frames));
  for (std::int64_t f = 0; f < frames; ++f) {
    s.own_frame += mean.at(f, f);
    s.text += mean.on_text(f);
    for (std::int64_t k = 0; k < frames; ++k) {
      video += mean.at(f, k);
      distance += mean.at(f, k) * static_cast<double>(std::abs(f - k));
      if (k != f) received[static_cast<std::size_t>(k)] += mean.at(f, k);
    }
  }
  const double rows = static_cast<double>(mean.rows_per_frame) * count;
  s.own_frame /= count;
  s.text /= count;
  s.same_place = near_ / rows;
  s.distance = video > 0.0 ? distance / video : 0.0;
  if (frames > 1) {
    const auto most = std::max_element(received.begin(), received.end());
    s.anchor_frame = most - received.begin();
    s.anchor = *most / (count - 1.0);
    s.first_frame = received.front() / (count - 1.0);
  }
  s.entropy = entropy_ / rows;
  const double most = reference::exact_log(static_cast<double>(grid_.seq_len()));
  s.spread = most > 0.0 ? s.entropy / most : 1.0;
  return s;
}

PatternMass apply_pattern(const FrameMass& mass, const FramePattern& pattern) {
  const std::int64_t frames = mass.grid.frames;
  if (pattern.frames() != frames) {
    throw Error(ErrorKind::kValue,
                fmt::format("a pattern of {} frames: T = {} is due", pattern.frames(), frames));
  }
  PatternMass result;
  double recall = 0.0;
  for (std::int64_t f = 0; f < frames; ++f) {
    const auto row = pattern.row(f);
    double kept = mass.on_text(f);
    double lost = 0.0;
    auto attended = row.begin();
    for (std::int64_t k = 0; k < frames; ++k) {
      const bool is_attended = attended != row.end() && *attended == k;
      if (is_attended) ++attended;
      (is_attended ? kept : lost) += mass.at(f, k);
    }
    result.lost.push_back(lost);
    result.lost_mean += lost;
    result.recall_min = std::min(result.recall_min, kept);
    recall += kept;
  }
  result.lost_mean /= static_cast<double>(frames);
  result.recall = recall / static_cast<double>(frames);
  return result;
}

HeadMass head_mass(const Sample& sample, const LatentSize& size,
                   std::span<const std::int64_t> tokens) {
  constexpr std::size_t kRowsAtOnce = 4096;
  FrameMassSum sum(sample.grid);
  for (std::size_t from = 0; from < tokens.size(); from += kRowsAtOnce) {
    const std::size_t count = std::min(kRowsAtOnce, tokens.size() - from);
    sum.add(row_masses(sample, size, tokens.subspan(from, count)));
  }
  return {sum.mass(), sum.statistics()};
}

}  // namespace lvsa::analysis
