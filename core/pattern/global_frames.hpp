#pragma once
// Global (anchor) frames: the frames that every query attends.
// Source: published LVSA behaviour, global frames and rotation.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace lvsa {

/// {0 .. min(n_first, T) - 1} and {(offset + i * interval) mod T : 0 <= i < ceil(T / interval)},
/// ascending and unique. No interval, or one below 1, leaves the first part only.
std::vector<std::int32_t> global_frames(std::int64_t frames, std::int64_t n_first_frames,
                                        std::optional<std::int64_t> interval, std::int64_t offset);

/// Boundary guards of context parallelism: for each rank r = 1 .. world - 1 with its first frame
/// b = (r * local_seq) / P, the frames max(0, b - W) .. min(T, b + W + 1) - 1. Ascending, unique.
std::vector<std::int32_t> boundary_guard_frames(std::int64_t frames, std::int64_t local_seq_tokens,
                                                std::int64_t patches_per_frame, std::int64_t world,
                                                std::int64_t window_frames);

/// Joins `extra` (those of its frames that lie in 0 .. frames - 1) to an ascending list.
void join_frames(std::vector<std::int32_t>& list, std::span<const std::int64_t> extra,
                 std::int64_t frames);

}  // namespace lvsa
