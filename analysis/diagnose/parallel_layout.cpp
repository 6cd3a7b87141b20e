#include "analysis/diagnose/parallel_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using reference::TokenRange;

void require_degree(const char* name, std::int64_t value) {
  if (value < 1 || value > kMostParallelRanks) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} {}: 1 .. {} is due", name, value, kMostParallelRanks));
  }
}

void check(const ParallelQuestion& q) {
  require_degree("--tp", q.tp);
  require_degree("--ulysses", q.world.ulysses);
  require_degree("--ring", q.world.ring);
  require_degree("--cfg", q.cfg);
  // Each factor is at most 2^12, so that the product fits.
  if (q.ranks() > kMostParallelRanks) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} x {} x {} x {} are {} ranks: at most {} are due", q.tp,
                            q.world.ulysses, q.world.ring, q.cfg, q.ranks(), kMostParallelRanks));
  }
  constexpr std::int64_t kMostHeads = 1 << 20;
  if (q.heads.key_value < 1 || q.heads.query < 1 || q.heads.query > kMostHeads ||
      q.heads.query % q.heads.key_value != 0) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} query heads on {} kv heads: 1 .. {} and a multiple are due",
                            q.heads.query, q.heads.key_value, kMostHeads));
  }
  make_frame_grid(std::max<std::int64_t>(q.grid.frames, 1), q.grid.patches_per_frame,
                  q.grid.text_tokens);
  constexpr std::int64_t kMostTokens = std::int64_t{1} << 50;
  if (q.grid.seq_len() > kMostTokens || q.video_tokens() > kMostTokens) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} video tokens: at most 2^50 are due", q.video_tokens()));
  }
}

HeadVerdict judge_heads(const ParallelQuestion& q) {
  HeadVerdict verdict;
  const std::int64_t u = q.world.ulysses;
  for (std::int64_t degree = 1; degree <= q.heads.key_value; ++degree) {
    if (q.heads.key_value % (q.tp * degree) == 0) verdict.ulysses_that_divide.push_back(degree);
  }
  if (q.heads.query % q.tp != 0 || q.heads.key_value % q.tp != 0) {
    verdict.message = fmt::format("{} query and {} kv heads do not divide by tp {}", q.heads.query,
                                  q.heads.key_value, q.tp);
    return verdict;
  }
  verdict.per_tp = {q.heads.query / q.tp, q.heads.key_value / q.tp};
  verdict.padded = reference::padded_heads(verdict.per_tp, u);
  verdict.strict = verdict.per_tp.query % u == 0 && verdict.per_tp.key_value % u == 0;
  if (!verdict.strict) {
    verdict.message = fmt::format(
        "{} query and {} kv heads a tp rank do not divide by ulysses {}: the strict mode refuses "
        "(kv heads are not replicated), the padded mode computes {} on {}",
        verdict.per_tp.query, verdict.per_tp.key_value, u, verdict.padded.query,
        verdict.padded.key_value);
  }
  return verdict;
}

NearLength near_length(const ParallelQuestion& q, std::int64_t frames) {
  // A latent frame of a temporal patch p holds p frames of the VAE.
  const std::int64_t vae_frames = frames * q.rule.temporal_patch_size;
  return {frames, (vae_frames - 1) * q.rule.vae_temporal_factor + 1,
          frames * q.grid.patches_per_frame};
}

Divisibility judge_tokens(const ParallelQuestion& q) {
  Divisibility result;
  const std::int64_t world = q.world.size();
  const std::int64_t video = q.video_tokens();
  result.tokens = video % world == 0;
  result.chunk = reference::padded_size(video, world) / world;
  result.padding = result.chunk * world - video;
  if (!q.knows_frames()) return result;
  // world divides T * P exactly when world / gcd(world, P) divides T.
  result.step_frames = world / std::gcd(world, q.grid.patches_per_frame);
  const std::int64_t below = q.grid.frames / result.step_frames * result.step_frames;
  if (below >= 1) result.below = near_length(q, below);
  result.above =
      below == q.grid.frames ? near_length(q, below) : near_length(q, below + result.step_frames);
  return result;
}

PaddingBias judge_padding(const ParallelQuestion& q, std::int64_t padding) {
  PaddingBias bias;
  bias.padding = padding;
  const auto keys = static_cast<double>(q.video_tokens() + q.grid.text_tokens);
  const auto pad = static_cast<double>(padding);
  bias.uniform = keys / (keys + pad);
  bias.normal = keys / (keys + pad * std::exp(-0.5));
  bias.low = keys / (keys + pad * std::exp(10.0));
  return bias;
}

void find_frames(const ParallelQuestion& q, RankShare& share) {
  if (!q.knows_frames() || share.owns.begin >= share.owns.end) return;
  const std::int64_t patches = q.grid.patches_per_frame;
  share.first_frame = share.owns.begin / patches;
  share.last_frame = (share.owns.end - 1) / patches;
  const auto look_at = [&](std::int64_t frame) {
    const std::int64_t begin = std::max(share.owns.begin, frame * patches);
    const std::int64_t end = std::min(share.owns.end, (frame + 1) * patches);
    if (end - begin < patches) {
      share.partial.push_back({frame, {begin - frame * patches, end - frame * patches}});
    }
  };
  look_at(share.first_frame);
  if (share.last_frame != share.first_frame) look_at(share.last_frame);
}

// Heads of one rank among those of its tp rank, in the padded count, cut to the real ones.
void find_heads(const ParallelLayout& layout, RankShare& share) {
  const HeadVerdict& heads = layout.heads;
  if (heads.per_tp.query == 0 || (!heads.strict && !layout.question.pads_heads)) return;
  const std::int64_t u = layout.question.world.ulysses;
  const auto part = [&](std::int64_t padded, std::int64_t real) {
    const std::int64_t each = padded / u;
    const std::int64_t begin = std::min(share.ulysses * each, real);
    const std::int64_t end = std::min(begin + each, real);
    return TokenRange{share.tp * real + begin, share.tp * real + end};
  };
  share.heads = part(heads.padded.query, heads.per_tp.query);
  share.kv_heads = part(heads.padded.key_value, heads.per_tp.key_value);
  share.padded_heads = heads.padded.query / u - (share.heads.end - share.heads.begin);
}

RankShare share_of(const ParallelLayout& layout, std::int64_t rank) {
  const ParallelQuestion& q = layout.question;
  RankShare share;
  share.rank = rank;
  share.tp = rank % q.tp;
  const std::int64_t sequence_rank = rank / q.tp % q.world.size();
  share.ulysses = q.world.ulysses_rank(sequence_rank);
  share.ring = q.world.ring_rank(sequence_rank);
  share.cfg = rank / q.tp / q.world.size();
  const std::int64_t video = q.video_tokens();
  const std::int64_t chunk = layout.divisibility.chunk;
  share.owns = reference::chunk_of(video, q.world.size(), sequence_rank);
  share.padding_tokens = q.world.ulysses > 1 ? chunk - (share.owns.end - share.owns.begin) : 0;
  const std::int64_t group = q.world.ulysses * chunk;
  share.rows = {std::min(video, share.ring * group), std::min(video, (share.ring + 1) * group)};
  find_frames(q, share);
  find_heads(layout, share);
  return share;
}

std::vector<StandaloneMode> standalone_modes(const ParallelQuestion& q) {
  const std::int64_t world = q.world.size();
  if (!q.knows_frames()) return {};
  const bool tokens = q.video_tokens() % world == 0;
  std::vector<StandaloneMode> modes(3);
  modes[0] = {"custom", tokens,
              tokens ? "an approximation: window frames only where the rank holds them, boundary "
                       "guards at the seams"
                     : fmt::format("{} video tokens do not divide by {}", q.video_tokens(), world)};
  const bool heads = q.heads.query % world == 0 && q.heads.key_value % world == 0;
  modes[1] = {"ulysses", tokens && heads,
              !tokens ? modes[0].note
              : heads ? "exact"
                      : fmt::format("{} query and {} kv heads do not divide by {}", q.heads.query,
                                    q.heads.key_value, world)};
  const bool frames = q.grid.frames % world == 0;
  modes[2] = {"ring", frames,
              frames ? "exact" : fmt::format("T = {} does not divide by {}", q.grid.frames, world)};
  return modes;
}

void find_problems(ParallelLayout& layout) {
  const ParallelQuestion& q = layout.question;
  if (!layout.heads.strict && !(q.pads_heads && layout.heads.per_tp.query > 0)) {
    layout.problems.push_back(layout.heads.message);
  }
  const Divisibility& d = layout.divisibility;
  if (d.tokens) return;
  const std::int64_t world = q.world.size();
  std::string line =
      fmt::format("{} video tokens do not divide by ulysses x ring = {}", q.video_tokens(), world);
  if (q.world.ring > 1) {
    line += ": refused, and padding does not work with a ring";
  } else {
    line += fmt::format(": strict mode refuses, auto_pad adds zero tokens: {}", d.padding);
  }
  layout.problems.push_back(line);
}

}  // namespace

ParallelLayout make_parallel_layout(const ParallelQuestion& question) {
  check(question);
  ParallelLayout layout;
  layout.question = question;
  layout.heads = judge_heads(question);
  layout.divisibility = judge_tokens(question);
  layout.bias = judge_padding(question, layout.divisibility.padding);
  for (std::int64_t rank = 0; rank < question.ranks(); ++rank) {
    layout.ranks.push_back(share_of(layout, rank));
  }
  layout.standalone = standalone_modes(question);
  find_problems(layout);
  return layout;
}

}  // namespace lvsa::analysis
