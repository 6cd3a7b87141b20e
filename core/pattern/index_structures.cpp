#include "core/pattern/index_structures.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/geometry/frame_grid.hpp"

namespace lvsa {
namespace {

constexpr std::int32_t kNoColumn = -1;

// Checked sizes of one rank; no type of the interface, only what the steps below share.
struct Rank {
  std::int64_t patches;
  std::int64_t first;  // first token
  std::int64_t tokens;

  std::int64_t first_frame() const { return first / patches; }
  std::int64_t last_frame() const { return (first + tokens - 1) / patches; }
  TokenRange clip(std::int64_t frame) const {
    return {std::max(frame * patches, first) - first,
            std::min((frame + 1) * patches, first + tokens) - first};
  }
};

Rank make_rank(std::int64_t frames, std::int64_t patches, std::int64_t rank, std::int64_t world) {
  if (patches < 1) {
    throw Error(ErrorKind::kValue,
                fmt::format("patches per frame is {}; at least 1 is due", patches));
  }
  if (world < 1 || rank < 0 || rank >= world) {
    throw Error(ErrorKind::kValue,
                fmt::format("rank {} of a world of {}: 0 <= rank < world is due", rank, world));
  }
  const std::int64_t total = checked_product(frames, patches, "video tokens");
  if (total % world != 0) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} video tokens ({} frames of {}) are not divisible by a world of {}",
                            total, frames, patches, world));
  }
  return {patches, rank * (total / world), total / world};
}

void fill_window_context(const FramePattern& pattern, const Rank& rank, RankIndex& index) {
  index.window_offsets.reserve(index.local_frames.size() + 1);
  for (const LocalFrame& local : index.local_frames) {
    index.window_offsets.push_back(static_cast<std::int64_t>(index.window_tokens.size()));
    const FrameRange window = pattern.windows[static_cast<std::size_t>(local.frame)];
    const std::int64_t last = std::min<std::int64_t>(window.hi, rank.last_frame());
    for (std::int64_t f = std::max<std::int64_t>(window.lo, rank.first_frame()); f <= last; ++f) {
      if (pattern.is_global[static_cast<std::size_t>(f)] == 0) {
        index.window_tokens.push_back(rank.clip(f));
      }
    }
  }
  index.window_offsets.push_back(static_cast<std::int64_t>(index.window_tokens.size()));
}

void fill_attended_table(const FramePattern& pattern, RankIndex& index) {
  std::size_t width = 0;
  for (const LocalFrame& local : index.local_frames) {
    width = std::max(width, pattern.row(local.frame).size());
  }
  index.attended_width = static_cast<std::int64_t>(width);
  index.attended.resize(index.local_frames.size() * width);
  auto out = index.attended.begin();
  for (const LocalFrame& local : index.local_frames) {
    const auto row = pattern.row(local.frame);
    const auto end = std::copy(row.begin(), row.end(), out);
    out += static_cast<std::ptrdiff_t>(width);
    if (!row.empty()) std::fill(end, out, row.back());
  }
}

// Column of each frame, or kNoColumn: the global frames and the rank's own window frames.
std::vector<std::int32_t> number_columns(const FramePattern& pattern, const Rank& rank,
                                         const RankIndex& index, BlockRows& blocks) {
  std::vector<std::uint8_t> attended = pattern.is_global;
  for (std::int64_t r = 0; r < blocks.rows; ++r) {
    const std::int32_t frame = index.local_frames[static_cast<std::size_t>(r)].frame;
    const FrameRange window = pattern.windows[static_cast<std::size_t>(frame)];
    const std::int64_t last = std::min<std::int64_t>(window.hi, rank.last_frame());
    for (std::int64_t f = std::max<std::int64_t>(window.lo, rank.first_frame()); f <= last; ++f) {
      attended[static_cast<std::size_t>(f)] = 1;
    }
  }
  std::vector<std::int32_t> column(attended.size(), kNoColumn);
  std::int32_t next_column = 0;
  std::int64_t next_global = 0;
  for (std::size_t f = 0; f < attended.size(); ++f) {
    if (attended[f] == 0) continue;
    const std::int64_t target = next_column * rank.patches;
    if (pattern.is_global[f] != 0) {
      blocks.global_copies.push_back({next_global++ * rank.patches, target});
    } else {
      // Negative for a frame that begins on the rank before, as published.
      blocks.local_copies.push_back(
          {static_cast<std::int64_t>(f) * rank.patches - rank.first, target});
    }
    column[f] = next_column++;
  }
  blocks.compact_frames = next_column;
  return column;
}

void fill_blocks(const FramePattern& pattern, const Rank& rank, RankIndex& index) {
  BlockRows& blocks = index.blocks;
  blocks.rows = (rank.tokens + rank.patches - 1) / rank.patches;
  const std::vector<std::int32_t> column = number_columns(pattern, rank, index, blocks);
  blocks.query_tokens = blocks.rows * rank.patches;
  blocks.key_tokens = blocks.compact_frames * rank.patches;
  std::size_t most = 0;
  for (std::int64_t r = 0; r < blocks.rows; ++r) {
    most += pattern.row(index.local_frames[static_cast<std::size_t>(r)].frame).size();
  }
  if (most > INT32_MAX) {
    throw Error(ErrorKind::kOverflow,
                fmt::format("block rows hold up to {} entries; their 32-bit offsets end at {}",
                            most, INT32_MAX));
  }
  blocks.indices.resize(most);
  blocks.indptr.reserve(static_cast<std::size_t>(blocks.rows) + 1);
  auto out = blocks.indices.begin();
  for (std::int64_t r = 0; r < blocks.rows; ++r) {
    blocks.indptr.push_back(static_cast<std::int32_t>(out - blocks.indices.begin()));
    // A frame without a column is a window frame that lives on another rank.
    for (const std::int32_t f :
         pattern.row(index.local_frames[static_cast<std::size_t>(r)].frame)) {
      const std::int32_t c = column[static_cast<std::size_t>(f)];
      *out = c;
      out += c != kNoColumn ? 1 : 0;
    }
  }
  blocks.indptr.push_back(static_cast<std::int32_t>(out - blocks.indices.begin()));
  blocks.indices.resize(static_cast<std::size_t>(out - blocks.indices.begin()));
}

}  // namespace

RankIndex build_rank_index(const FramePattern& pattern, std::int64_t patches_per_frame,
                           std::int64_t rank_number, std::int64_t world) {
  const Rank rank = make_rank(pattern.frames(), patches_per_frame, rank_number, world);
  RankIndex index;
  index.local_seq = rank.tokens;
  index.global_token_start = rank.first;
  index.local_frames.reserve(static_cast<std::size_t>(rank.last_frame() - rank.first_frame() + 1));
  for (std::int64_t f = rank.first_frame(); f <= rank.last_frame(); ++f) {
    index.local_frames.push_back({static_cast<std::int32_t>(f), rank.clip(f)});
  }
  fill_window_context(pattern, rank, index);
  fill_attended_table(pattern, index);
  fill_blocks(pattern, rank, index);
  return index;
}

}  // namespace lvsa
