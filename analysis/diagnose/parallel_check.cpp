#include "analysis/diagnose/parallel_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "analysis/diagnose/parallel_rows.hpp"
#include "core/error.hpp"
#include "reference/parallel/all_to_all.hpp"
#include "reference/parallel/sharded_attention.hpp"

namespace lvsa::analysis {
namespace {

using reference::ExchangeOrder;
using reference::HeadTensor;
using reference::ParallelDefect;

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
  verdict.checks.push_back(named_check("round-trip", back == shards,
                                       "there and back through the all-to-all changes the tensor"));
  verdict.checks.push_back(named_check(
      "places", placed, "after the all-to-all rows or heads are not where they belong"));
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
      named_check("text-agrees", disagreement <= verdict.tolerance,
                  fmt::format("text rows of two ring ranks are {:.3g} apart", disagreement)));
  return verdict;
}

}  // namespace lvsa::analysis
