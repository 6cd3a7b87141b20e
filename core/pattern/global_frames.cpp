#include "core/pattern/global_frames.hpp"

#include <algorithm>

#include "core/config/config.hpp"

namespace lvsa {
namespace {

void sort_unique(std::vector<std::int32_t>& list) {
  if (!std::is_sorted(list.begin(), list.end())) std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

}  // namespace

std::vector<std::int32_t> global_frames(std::int64_t frames, std::int64_t n_first_frames,
                                        std::optional<std::int64_t> interval, std::int64_t offset) {
  std::vector<std::int32_t> list;
  if (frames <= 0) return list;
  const std::int64_t first = std::clamp<std::int64_t>(n_first_frames, 0, frames);
  const bool grid = interval && *interval >= 1;
  const std::int64_t anchors = grid ? (frames - 1) / *interval + 1 : 0;
  list.reserve(static_cast<std::size_t>(first + anchors));
  for (std::int64_t f = 0; f < first; ++f) list.push_back(static_cast<std::int32_t>(f));
  if (anchors > 0) {
    // The anchors wrap at most once: i * interval stays below T.
    const std::int64_t start = floor_modulo(offset, frames);
    for (std::int64_t i = 0; i < anchors; ++i) {
      const std::int64_t f = start + i * *interval;
      list.push_back(static_cast<std::int32_t>(f < frames ? f : f - frames));
    }
  }
  sort_unique(list);
  return list;
}

std::vector<std::int32_t> boundary_guard_frames(std::int64_t frames, std::int64_t local_seq_tokens,
                                                std::int64_t patches_per_frame, std::int64_t world,
                                                std::int64_t window_frames) {
  std::vector<std::int32_t> list;
  for (std::int64_t rank = 1; rank < world; ++rank) {
    const std::int64_t boundary = floor_divide(rank * local_seq_tokens, patches_per_frame);
    const std::int64_t last = std::min(frames, boundary + window_frames + 1);
    for (std::int64_t f = std::max<std::int64_t>(0, boundary - window_frames); f < last; ++f) {
      list.push_back(static_cast<std::int32_t>(f));
    }
  }
  sort_unique(list);
  return list;
}

void join_frames(std::vector<std::int32_t>& list, std::span<const std::int64_t> extra,
                 std::int64_t frames) {
  if (extra.empty()) return;
  for (const std::int64_t f : extra) {
    if (f >= 0 && f < frames) list.push_back(static_cast<std::int32_t>(f));
  }
  sort_unique(list);
}

}  // namespace lvsa
