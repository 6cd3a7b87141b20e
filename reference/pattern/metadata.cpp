#include "reference/pattern/metadata.hpp"

#include <algorithm>
#include <string>

#include "reference/pattern/global_frames.hpp"

namespace lvsa::reference {

namespace {

void check(const MetadataArguments& a) {
  require_size("total_latent_frames", a.total_latent_frames, 1);
  require_size("num_patches", a.num_patches, 1);
  require_size("window_size", a.window_size, 0);
  require_size("world", a.world, 1);
  require_size("rank", a.rank, 0);
  require(a.rank < a.world, "rank is " + std::to_string(a.rank) + ", must be below the world, " +
                                std::to_string(a.world));
  const std::int64_t tokens = a.total_latent_frames * a.num_patches;
  require(tokens % a.world == 0,
          std::to_string(tokens) + " tokens do not divide by world " + std::to_string(a.world));
  for (const std::int64_t f : a.boundary_guards) {
    require(0 <= f && f < a.total_latent_frames,
            "boundary guard " + std::to_string(f) + " lies outside the video");
  }
}

FrameSet global_set(const MetadataArguments& a) {
  FrameSet globals = compute_global_indices(a.total_latent_frames, a.n_first_frames,
                                            a.key_frame_interval, a.keyframe_offset);
  globals.insert(a.boundary_guards.begin(), a.boundary_guards.end());
  globals.merge(condition_frames_in_video(a.condition_frames, a.total_latent_frames));
  return globals;
}

// The frames with a token on the rank, and which of the rank's tokens they are.
std::vector<LocalFrame> frames_on_rank(const MetadataArguments& a, const Metadata& m) {
  std::vector<LocalFrame> local;
  for (std::int64_t f = 0; f < a.total_latent_frames; ++f) {
    const std::int64_t begin = std::max(f * a.num_patches, m.global_token_start);
    const std::int64_t end = std::min((f + 1) * a.num_patches, m.global_token_start + m.local_seq);
    if (begin < end) {
      local.push_back({f, {begin - m.global_token_start, end - m.global_token_start}});
    }
  }
  return local;
}

std::map<std::int64_t, TokenRange> tokens_by_frame(const Metadata& m) {
  std::map<std::int64_t, TokenRange> tokens;
  for (const LocalFrame& local : m.local_frames) tokens[local.frame] = local.tokens;
  return tokens;
}

// Window frames of `frame` that are not global and of which the rank holds a token.
FrameSet window_frames_on_rank(std::int64_t frame, const Metadata& m, const FrameSet& globals,
                               const std::map<std::int64_t, TokenRange>& on_rank) {
  FrameSet frames;
  const WindowBounds& window = m.window_bounds.at(static_cast<std::size_t>(frame));
  for (std::int64_t f = window.lo; f <= window.hi; ++f) {
    if (!globals.contains(f) && on_rank.contains(f)) frames.insert(f);
  }
  return frames;
}

void fill_attended_table(const FrameSet& globals, Metadata& m) {
  for (const LocalFrame& local : m.local_frames) {
    const WindowBounds& window = m.window_bounds.at(static_cast<std::size_t>(local.frame));
    m.attended_indices.push_back(sorted(attended_frames(globals, window)));
    m.attended_C =
        std::max(m.attended_C, static_cast<std::int64_t>(m.attended_indices.back().size()));
  }
  for (std::vector<std::int64_t>& row : m.attended_indices) {
    while (static_cast<std::int64_t>(row.size()) < m.attended_C) row.push_back(row.back());
  }
}

BlockRows block_rows(const MetadataArguments& a, const Metadata& m, const FrameSet& globals) {
  const std::map<std::int64_t, TokenRange> on_rank = tokens_by_frame(m);
  BlockRows rows;
  rows.MB = ceil_divide(m.local_seq, a.num_patches);
  std::vector<FrameSet> attended;
  FrameSet columns;
  for (std::int64_t r = 0; r < rows.MB; ++r) {
    const std::int64_t frame = m.local_frames.at(static_cast<std::size_t>(r)).frame;
    FrameSet row = window_frames_on_rank(frame, m, globals, on_rank);
    row.insert(globals.begin(), globals.end());
    columns.insert(row.begin(), row.end());
    attended.push_back(row);
  }

  std::map<std::int64_t, std::int64_t> column_of_frame;
  for (const std::int64_t f : columns) {
    const auto column = static_cast<std::int64_t>(column_of_frame.size());
    column_of_frame[f] = column;
  }
  rows.compact_n = static_cast<std::int64_t>(columns.size());
  rows.M = rows.MB * a.num_patches;
  rows.N = rows.compact_n * a.num_patches;

  rows.indptr.push_back(0);
  for (const FrameSet& row : attended) {
    for (const std::int64_t f : row) rows.indices.push_back(column_of_frame.at(f));
    rows.indptr.push_back(static_cast<std::int64_t>(rows.indices.size()));
  }

  std::int64_t position_among_globals = 0;
  for (const std::int64_t f : globals) {
    rows.global_copies.push_back(
        {position_among_globals * a.num_patches, column_of_frame.at(f) * a.num_patches});
    ++position_among_globals;
  }
  for (const std::int64_t f : columns) {
    if (globals.contains(f)) continue;
    rows.local_copies.push_back(
        {f * a.num_patches - m.global_token_start, column_of_frame.at(f) * a.num_patches});
  }
  return rows;
}

}  // namespace

Metadata build_metadata(const MetadataArguments& a) {
  check(a);
  Metadata m;
  m.local_seq = a.total_latent_frames * a.num_patches / a.world;
  m.global_token_start = a.rank * m.local_seq;

  const FrameSet globals = global_set(a);
  m.global_indices = sorted(globals);
  m.local_frames = frames_on_rank(a, m);
  for (std::int64_t f = 0; f < a.total_latent_frames; ++f) {
    m.global_frame_mask.push_back(globals.contains(f) ? 1 : 0);
    m.window_bounds.push_back(
        get_window_bounds(f, a.window_size, a.total_latent_frames, a.expand_window, globals));
  }

  const std::map<std::int64_t, TokenRange> on_rank = tokens_by_frame(m);
  for (const LocalFrame& local : m.local_frames) {
    std::vector<TokenRange>& context = m.window_ctx[local.frame];
    for (const std::int64_t f : window_frames_on_rank(local.frame, m, globals, on_rank)) {
      context.push_back(on_rank.at(f));
    }
  }
  fill_attended_table(globals, m);
  m.block_rows = block_rows(a, m, globals);
  return m;
}

}  // namespace lvsa::reference
