#include "analysis/diagnose/parallel_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace lvsa::analysis {

using reference::HeadTensor;

NamedCheck named_check(const char* name, bool holds, const std::string& message) {
  return {name, holds ? CheckState::kHolds : CheckState::kFails, holds ? "" : message};
}

RowDifference compare_rows(const ParallelData& data, const HeadTensor& made, const HeadTensor& due,
                           std::int64_t begin, std::int64_t end) {
  RowDifference result;
  for (std::int64_t t = begin; t < end; ++t) {
    if (data.wanted[static_cast<std::size_t>(t)] == 0) continue;
    for (std::int64_t h = 0; h < due.heads; ++h) {
      double most = 0.0;
      bool nan = false;
      for (std::int64_t c = 0; c < due.dim; ++c) {
        const double a = made.row(t, h)[c];
        const double b = due.row(t, h)[c];
        nan = nan || std::isnan(a);
        if (a != b) most = std::max(most, std::abs(a - b));
      }
      if (nan && result.nan_rows++ == 0) std::tie(result.token, result.head) = std::pair(t, h);
      if (most > result.most) {
        result.most = most;
        if (result.nan_rows == 0) std::tie(result.token, result.head) = std::pair(t, h);
      }
    }
  }
  return result;
}

std::string apart_text(const RowDifference& d, double tolerance) {
  if (d.nan_rows > 0) return fmt::format("{} rows are NaN, first token {}", d.nan_rows, d.token);
  return fmt::format("{:.3g} apart at token {}, head {}; at most {:.3g} is due", d.most, d.token,
                     d.head, tolerance);
}

void judge_rows(const ParallelData& data, const HeadTensor& out, const HeadTensor& lse,
                ParallelVerdict& verdict) {
  const std::int64_t video = data.shape.grid.video_tokens();
  const std::int64_t all = data.shape.grid.seq_len();
  const RowDifference of_video = compare_rows(data, out, data.out, 0, video);
  const RowDifference of_text = compare_rows(data, out, data.out, video, all);
  const RowDifference of_lse = compare_rows(data, lse, data.lse, 0, all);
  verdict.video = of_video.most;
  verdict.text = of_text.most;
  verdict.lse = of_lse.most;
  verdict.nan_rows = std::max(of_video.nan_rows + of_text.nan_rows, of_lse.nan_rows);
  const double tolerance = verdict.tolerance;
  verdict.checks.push_back(named_check("finite", verdict.nan_rows == 0,
                                       fmt::format("{} rows hold NaN", verdict.nan_rows)));
  const auto add = [&](const char* name, const RowDifference& d) {
    verdict.checks.push_back(
        named_check(name, d.nan_rows == 0 && d.most <= tolerance, apart_text(d, tolerance)));
  };
  add("video", of_video);
  add("text", of_text);
  add("lse", of_lse);
}

}  // namespace lvsa::analysis
