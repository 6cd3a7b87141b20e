// Mode custom: against its own published set, and how far it is from one rank.
#include <algorithm>
#include <cmath>
#include <iterator>

#include "analysis/diagnose/parallel_check.hpp"
#include "analysis/diagnose/parallel_rows.hpp"
#include "core/pattern/global_frames.hpp"
#include "reference/parallel/custom_mode.hpp"

namespace lvsa::analysis {

using reference::HeadTensor;
using reference::ParallelDefect;

namespace {

// What custom attends on each rank, restated on core's pattern: the global frames and guards, and
// window frames of which the rank holds a token.
struct CustomSet {
  std::vector<std::int32_t> guards;
  FramePattern pattern;  // with the guards among the global frames
};

CustomSet custom_set(const ParallelData& data, std::int64_t world) {
  CustomSet set;
  const FrameGrid& grid = data.shape.grid;
  PatternSpec spec = data.shape.pattern;
  set.guards = boundary_guard_frames(grid.frames, grid.video_tokens() / world,
                                     grid.patches_per_frame, world, spec.window_frames);
  spec.extra_globals.insert(spec.extra_globals.end(), set.guards.begin(), set.guards.end());
  set.pattern = build_frame_pattern(spec);
  return set;
}

std::vector<std::vector<std::int32_t>> lists_on_rank(const CustomSet& set, std::int64_t first,
                                                     std::int64_t last) {
  std::vector<std::vector<std::int32_t>> lists;
  for (std::int64_t f = 0; f < set.pattern.frames(); ++f) {
    std::vector<std::int32_t>& list = lists.emplace_back();
    for (const std::int32_t key : set.pattern.row(f)) {
      const bool global = set.pattern.is_global[static_cast<std::size_t>(key)] != 0;
      if (global || (key >= first && key <= last)) list.push_back(key);
    }
  }
  return lists;
}

// Pairs of this rank's tokens of a frame with keys, single rank against custom.
void count_pairs(const ParallelData& data, const std::vector<std::vector<std::int32_t>>& lists,
                 std::int64_t begin, std::int64_t end, CustomVerdict& verdict) {
  const std::int64_t patches = data.shape.grid.patches_per_frame;
  for (std::int64_t f = begin / patches; f * patches < end; ++f) {
    const std::int64_t queries = std::min(end, (f + 1) * patches) - std::max(begin, f * patches);
    const auto& one = data.lists[static_cast<std::size_t>(f)];
    const auto& many = lists[static_cast<std::size_t>(f)];
    std::vector<std::int32_t> common;
    std::ranges::set_intersection(one, many, std::back_inserter(common));
    const auto pairs = [&](std::size_t frames) {
      return queries * patches * static_cast<std::int64_t>(frames);
    };
    verdict.pairs += pairs(one.size());
    verdict.added += pairs(many.size() - common.size());
    verdict.removed += pairs(one.size() - common.size());
  }
}

void measure_difference(const ParallelData& data, const HeadTensor& out, CustomVerdict& verdict) {
  double squares = 0.0;
  double signal = 0.0;
  for (std::int64_t t = 0; t < data.shape.grid.video_tokens(); ++t) {
    if (data.wanted[static_cast<std::size_t>(t)] == 0) continue;
    for (std::int64_t i = 0; i < out.heads * out.dim; ++i) {
      const double due = data.out.row(t, 0)[i];
      const double difference = out.row(t, 0)[i] - due;
      verdict.largest_difference = std::max(verdict.largest_difference, std::abs(difference));
      squares += difference * difference;
      signal += due * due;
    }
  }
  verdict.relative_rms = signal > 0.0 ? std::sqrt(squares / signal) : 0.0;
}

reference::CustomProblem custom_problem(const ParallelData& data, std::int64_t world,
                                        ParallelDefect defect) {
  const PatternSpec& spec = data.shape.pattern;
  reference::CustomProblem problem;
  problem.q = data.q;
  problem.k = data.k;
  problem.v = data.v;
  problem.grid = data.shape.grid;
  problem.scale = data.scale;
  problem.window_frames = spec.window_frames;
  problem.n_first_frames = spec.n_first_frames;
  problem.interval = spec.interval;
  problem.offset = spec.offset;
  problem.expand_window = spec.expand_window;
  problem.condition_frames = spec.extra_globals;
  problem.world = world;
  problem.wanted = data.wanted;
  problem.defect = defect;
  return problem;
}

}  // namespace

CustomVerdict check_custom(const ParallelData& data, std::int64_t world, ParallelDefect defect) {
  const auto made = attend_custom(custom_problem(data, world, defect));
  const CustomSet set = custom_set(data, world);
  const FrameGrid& grid = data.shape.grid;
  CustomVerdict verdict;
  verdict.guards = set.guards;
  ParallelData due = data;  // the same rows, on the sets of custom
  for (std::int64_t rank = 0; rank < world; ++rank) {
    const auto own = reference::chunk_of(grid.video_tokens(), world, rank);
    const auto lists = lists_on_rank(set, own.begin / grid.patches_per_frame,
                                     (own.end - 1) / grid.patches_per_frame);
    attend_single_rank(data, lists, own.begin, own.end, due.out, due.lse);
    count_pairs(data, lists, own.begin, own.end, verdict);
  }
  judge_rows(due, made.out, made.lse, verdict.own);
  const RowDifference d = compare_rows(due, made.out, due.out, 0, grid.video_tokens());
  verdict.own.checks.push_back(named_check("custom-set",
                                           d.nan_rows == 0 && d.most <= kParallelTolerance,
                                           apart_text(d, kParallelTolerance)));
  std::erase_if(verdict.own.checks, [](const NamedCheck& c) { return c.name == "video"; });
  measure_difference(data, made.out, verdict);
  return verdict;
}

}  // namespace lvsa::analysis
