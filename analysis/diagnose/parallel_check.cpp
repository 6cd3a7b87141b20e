#include "analysis/diagnose/parallel_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "core/pattern/global_frames.hpp"
#include "reference/parallel/all_to_all.hpp"
#include "reference/parallel/custom_mode.hpp"
#include "reference/parallel/sharded_attention.hpp"

namespace lvsa::analysis {
namespace {

using reference::ExchangeOrder;
using reference::HeadTensor;
using reference::ParallelDefect;
using reference::SequenceWorld;

NamedCheck check(const char* name, bool holds, const std::string& message) {
  return {name, holds ? CheckState::kHolds : CheckState::kFails, holds ? "" : message};
}

struct Difference {
  double most = 0.0;  // over rows without NaN
  std::int64_t nan_rows = 0;
  std::int64_t token = -1;  // of the worst row, or of the first with NaN
  std::int64_t head = -1;
};

// NaN-proof: a row that is NaN in `made` and not in `due` counts as NaN row; -inf equals -inf.
Difference compare(const ParallelData& data, const HeadTensor& made, const HeadTensor& due,
                   std::int64_t begin, std::int64_t end) {
  Difference result;
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

std::string apart(const Difference& d, double tolerance) {
  if (d.nan_rows > 0) return fmt::format("{} rows are NaN, first token {}", d.nan_rows, d.token);
  return fmt::format("{:.3g} apart at token {}, head {}; at most {:.3g} is due", d.most, d.token,
                     d.head, tolerance);
}

ExchangeOrder forward_order(ParallelDefect defect) {
  return defect == ParallelDefect::kTokensInterleaved ? ExchangeOrder::kTokensInterleaved
                                                      : ExchangeOrder::kPublished;
}

ExchangeOrder reverse_order(ParallelDefect defect) {
  return defect == ParallelDefect::kHeadsInterleaved ? ExchangeOrder::kHeadsInterleaved
                                                     : forward_order(defect);
}

// The exchange alone, on the query tensor: identity there and back, and where the rows stand.
void check_exchange(const HeadTensor& q, const ParallelRun& run, ParallelVerdict& verdict) {
  const std::int64_t u = run.world.ulysses;
  const std::int64_t tokens = reference::padded_size(q.tokens, u);
  const std::int64_t heads = reference::padded_size(q.heads, u);
  HeadTensor whole(tokens, heads, q.dim);
  put(q, 0, 0, whole);
  std::vector<HeadTensor> shards;
  for (std::int64_t r = 0; r < u; ++r) {
    shards.push_back(take_tokens(whole, r * (tokens / u), (r + 1) * (tokens / u)));
  }
  const auto there = heads_for_tokens(shards, forward_order(run.defect));
  const auto back = tokens_for_heads(there, reverse_order(run.defect));
  bool placed = true;
  for (std::int64_t r = 0; r < u; ++r) {
    placed = placed && there[static_cast<std::size_t>(r)] ==
                           take_heads(whole, r * (heads / u), (r + 1) * (heads / u));
  }
  verdict.checks.push_back(check("round-trip", back == shards,
                                 "there and back through the all-to-all changes the tensor"));
  verdict.checks.push_back(
      check("places", placed, "after the all-to-all rows or heads are not where they belong"));
}

// Heads begin .. end - 1 of the problem.
reference::ShardedProblem problem_of(const ParallelData& data, const ParallelRun& run,
                                     std::int64_t part) {
  const std::int64_t h = data.q.heads / run.tp;
  const std::int64_t kv = data.k.heads / run.tp;
  reference::ShardedProblem problem;
  problem.q = take_heads(data.q, part * h, (part + 1) * h);
  problem.k = take_heads(data.k, part * kv, (part + 1) * kv);
  problem.v = take_heads(data.v, part * kv, (part + 1) * kv);
  problem.grid = data.shape.grid;
  problem.scale = data.scale;
  problem.attended = data.lists;
  problem.world = run.world;
  problem.pads_heads = run.pads_heads;
  problem.merge = run.merge;
  problem.merges_in_fp32 = run.merges_in_fp32;
  problem.wanted = data.wanted;
  problem.defect = run.defect;
  return problem;
}

void judge_rows(const ParallelData& data, const HeadTensor& out, const HeadTensor& lse,
                ParallelVerdict& verdict) {
  const std::int64_t video = data.shape.grid.video_tokens();
  const std::int64_t all = data.shape.grid.seq_len();
  const Difference of_video = compare(data, out, data.out, 0, video);
  const Difference of_text = compare(data, out, data.out, video, all);
  const Difference of_lse = compare(data, lse, data.lse, 0, all);
  verdict.video = of_video.most;
  verdict.text = of_text.most;
  verdict.lse = of_lse.most;
  verdict.nan_rows = std::max(of_video.nan_rows + of_text.nan_rows, of_lse.nan_rows);
  const double tolerance = verdict.tolerance;
  verdict.checks.push_back(
      check("finite", verdict.nan_rows == 0, fmt::format("{} rows hold NaN", verdict.nan_rows)));
  const auto add = [&](const char* name, const Difference& d) {
    verdict.checks.push_back(
        check(name, d.nan_rows == 0 && d.most <= tolerance, apart(d, tolerance)));
  };
  add("video", of_video);
  add("text", of_text);
  add("lse", of_lse);
}

}  // namespace

bool ParallelVerdict::good() const {
  return std::ranges::none_of(checks,
                              [](const NamedCheck& c) { return c.state == CheckState::kFails; });
}

double ParallelVerdict::worst() const { return std::max({video, text, lse}); }

std::span<const ParallelCheckInfo> parallel_checks() {
  static constexpr std::array kChecks = {
      ParallelCheckInfo{"round-trip", "the all-to-all there and back is the identity, bit for bit"},
      ParallelCheckInfo{"places", "after the all-to-all a rank holds its rows and heads in order"},
      ParallelCheckInfo{"finite", "no row of output or log-sum-exp is NaN"},
      ParallelCheckInfo{"video", "video rows as one rank computes them"},
      ParallelCheckInfo{"text", "text rows as one rank computes them"},
      ParallelCheckInfo{"lse", "log-sum-exp as one rank computes it"},
      ParallelCheckInfo{"text-agrees", "all ring ranks have the same text rows"},
      ParallelCheckInfo{"custom-set", "mode custom attends its published set and nothing else"},
  };
  return kChecks;
}

ParallelVerdict check_exact(const ParallelData& data, const ParallelRun& run) {
  if (run.tp < 1 || data.q.heads % run.tp != 0 || data.k.heads % run.tp != 0) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} query and {} kv heads over tensor parallel degree {}: multiples "
                            "of {} are due",
                            data.q.heads, data.k.heads, run.tp, run.tp));
  }
  ParallelVerdict verdict;
  if (run.merges_in_fp32) verdict.tolerance = kParallelToleranceFp32;
  HeadTensor out = data.out;
  HeadTensor lse = data.lse;
  double disagreement = 0.0;
  for (std::int64_t part = 0; part < run.tp; ++part) {
    const auto problem = problem_of(data, run, part);
    const auto made = attend_sharded(problem);
    put(made.out, 0, part * problem.q.heads, out);
    put(made.lse, 0, part * problem.q.heads, lse);
    disagreement = std::max(disagreement, made.text_disagreement);
    verdict.empty_first_blocks += made.empty_first_blocks;
    verdict.padding_tokens = made.padding_tokens;
    if (part == 0) check_exchange(problem.q, run, verdict);
  }
  judge_rows(data, out, lse, verdict);
  verdict.checks.push_back(
      check("text-agrees", disagreement <= verdict.tolerance,
            fmt::format("text rows of two ring ranks are {:.3g} apart", disagreement)));
  return verdict;
}

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
  const Difference d = compare(due, made.out, due.out, 0, grid.video_tokens());
  verdict.own.checks.push_back(check("custom-set", d.nan_rows == 0 && d.most <= kParallelTolerance,
                                     apart(d, kParallelTolerance)));
  std::erase_if(verdict.own.checks, [](const NamedCheck& c) { return c.name == "video"; });
  measure_difference(data, made.out, verdict);
  return verdict;
}

}  // namespace lvsa::analysis
