#include "analysis/maps/mask_map.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

std::int64_t checked_sum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) {
    throw Error(ErrorKind::kOverflow,
                fmt::format("token pairs: {} + {} does not fit in 64 bits", a, b));
  }
  return sum;
}

}  // namespace

MaskCounts count_mask(const FramePattern& pattern, const FrameGrid& grid, TextKind text) {
  constexpr const char* kPairs = "token pairs";
  MaskCounts counts;
  counts.least_frames = pattern.frames();
  for (std::int64_t f = 0; f < pattern.frames(); ++f) {
    const auto attended = static_cast<std::int64_t>(pattern.row(f).size());
    counts.least_frames = std::min(counts.least_frames, attended);
    counts.most_frames = std::max(counts.most_frames, attended);
  }
  counts.frame_pairs = pattern.frame_pairs();
  counts.frame_density = pattern.frame_density();
  counts.average_frames =
      static_cast<double>(counts.frame_pairs) / static_cast<double>(pattern.frames());
  const std::int64_t patches = grid.patches_per_frame;
  const std::int64_t text_queries = text == TextKind::kJoint ? grid.text_tokens : 0;
  const std::int64_t queries = grid.video_tokens() + text_queries;
  counts.dense_token_pairs = checked_product(queries, grid.seq_len(), kPairs);
  const std::int64_t block = checked_product(patches, patches, kPairs);
  const std::int64_t to_video = checked_product(counts.frame_pairs, block, kPairs);
  const std::int64_t to_text = checked_product(grid.video_tokens(), grid.text_tokens, kPairs);
  const std::int64_t from_text = checked_product(text_queries, grid.seq_len(), kPairs);
  counts.token_pairs = checked_sum(checked_sum(to_video, to_text), from_text);
  counts.token_density =
      static_cast<double>(counts.token_pairs) / static_cast<double>(counts.dense_token_pairs);
  return counts;
}

MaskMap build_mask_map(const MaskSettings& settings) {
  MaskMap map;
  map.settings = settings;
  const std::int64_t frames = settings.grid.frames;
  map.schedule = make_schedule(settings.config, frames);
  map.spec = pattern_spec(settings.config, map.schedule, frames, settings.step,
                          behaviour(settings.version), settings.condition_frames);
  map.pattern = build_frame_pattern(map.spec);
  map.counts = count_mask(map.pattern, settings.grid, settings.model.text_kind);
  return map;
}

}  // namespace lvsa::analysis
