#include "reference/parallel/custom_mode.hpp"

#include <algorithm>
#include <limits>

#include "reference/parallel/block_attention.hpp"
#include "reference/parallel/ring_merge.hpp"
#include "reference/pattern/global_frames.hpp"
#include "reference/pattern/metadata.hpp"

namespace lvsa::reference {
namespace {

Metadata metadata_of(const CustomProblem& p, std::int64_t rank) {
  MetadataArguments a;
  a.total_latent_frames = p.grid.frames;
  a.num_patches = p.grid.patches_per_frame;
  a.window_size = p.window_frames;
  a.n_first_frames = p.n_first_frames;
  a.key_frame_interval = p.interval;
  a.keyframe_offset = p.offset;
  a.expand_window = p.expand_window;
  a.condition_frames = p.condition_frames;
  a.rank = rank;
  a.world = p.world;
  if (p.defect != ParallelDefect::kGuardsMissing) {
    a.boundary_guards =
        sorted(compute_boundary_guard_frames(p.grid.frames, p.grid.video_tokens() / p.world,
                                             p.grid.patches_per_frame, p.world, p.window_frames));
  }
  return build_metadata(a);
}

class CustomRun {
 public:
  explicit CustomRun(const CustomProblem& problem)
      : problem_(problem), video_(problem.grid.video_tokens()) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    result_.out = HeadTensor(problem.q.tokens, problem.q.heads, problem.q.dim, nan);
    result_.lse = HeadTensor(problem.q.tokens, problem.q.heads, 1, nan);
  }

  CustomResult run() {
    for (std::int64_t rank = 0; rank < problem_.world; ++rank) video_rows(rank);
    for (std::int64_t t = video_; t < problem_.grid.seq_len(); ++t) text_row(t);
    return std::move(result_);
  }

 private:
  std::int64_t kv_head(std::int64_t head) const {
    return head / (problem_.q.heads / problem_.k.heads);
  }
  bool wanted(std::int64_t token) const {
    return problem_.wanted.empty() || problem_.wanted[static_cast<std::size_t>(token)] != 0;
  }

  void add_keys(std::int64_t begin, std::int64_t end, std::int64_t head,
                std::vector<KeyRow>& keys) const {
    for (std::int64_t t = begin; t < end; ++t) {
      keys.push_back({problem_.k.row(t, kv_head(head)), problem_.v.row(t, kv_head(head))});
    }
  }

  void store(std::int64_t token, std::int64_t head, const std::vector<double>& out, double lse) {
    std::copy(out.begin(), out.end(), result_.out.row(token, head));
    *result_.lse.row(token, head) = lse;
  }

  void video_rows(std::int64_t rank) {
    const Metadata m = metadata_of(problem_, rank);
    const std::int64_t patches = problem_.grid.patches_per_frame;
    for (const LocalFrame& local : m.local_frames) {
      for (std::int64_t head = 0; head < problem_.q.heads; ++head) {
        std::vector<KeyRow> keys;
        for (const std::int64_t f : m.global_indices) {
          add_keys(f * patches, (f + 1) * patches, head, keys);
        }
        for (const TokenRange& range : m.window_ctx.at(local.frame)) {
          add_keys(m.global_token_start + range.begin, m.global_token_start + range.end, head,
                   keys);
        }
        add_keys(video_, problem_.grid.seq_len(), head, keys);
        for (std::int64_t t = local.tokens.begin; t < local.tokens.end; ++t) {
          const std::int64_t token = m.global_token_start + t;
          if (!wanted(token)) continue;
          const BlockRow row =
              attend_block(problem_.q.row(token, head), keys, problem_.q.dim, problem_.scale);
          store(token, head, row.out, row.lse);
        }
      }
    }
  }

  // Text queries attend the shards of all ranks, merged, and the text once.
  void text_row(std::int64_t token) {
    if (!wanted(token)) return;
    const std::int64_t local = video_ / problem_.world;
    const bool own_only = problem_.defect == ParallelDefect::kTextQueriesLocal;
    for (std::int64_t head = 0; head < problem_.q.heads; ++head) {
      RingMerge<double> merge(problem_.q.dim, MergeForm::kRobust);
      for (std::int64_t rank = 0; rank < (own_only ? 1 : problem_.world); ++rank) {
        std::vector<KeyRow> keys;
        add_keys(rank * local, (rank + 1) * local, head, keys);
        if (rank == 0) add_keys(video_, problem_.grid.seq_len(), head, keys);
        const BlockRow row =
            attend_block(problem_.q.row(token, head), keys, problem_.q.dim, problem_.scale);
        merge.add(row.out.data(), row.lse);
      }
      store(token, head, merge.out(), merge.lse());
    }
  }

  const CustomProblem& problem_;
  std::int64_t video_;
  CustomResult result_;
};

}  // namespace

CustomResult attend_custom(const CustomProblem& p) {
  require(p.world >= 1 && p.grid.video_tokens() % p.world == 0,
          "mode custom: " + std::to_string(p.grid.video_tokens()) + " video tokens over " +
              std::to_string(p.world) + " ranks: a multiple is due");
  require(p.q.tokens == p.grid.seq_len() && p.k.tokens == p.q.tokens && p.v.tokens == p.q.tokens &&
              p.k.heads >= 1 && p.q.heads % p.k.heads == 0 && p.v.heads == p.k.heads,
          "mode custom: q, k and v of " + std::to_string(p.grid.seq_len()) + " tokens are due");
  return CustomRun(p).run();
}

}  // namespace lvsa::reference
