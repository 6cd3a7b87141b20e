#pragma once
// The pattern of one denoising step as sorted lists: which frames each frame attends.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/geometry/frame_grid.hpp"
#include "core/pattern/window.hpp"

namespace lvsa {

/// Everything that a pattern depends on, in latent frames.
struct PatternSpec {
  std::int64_t frames = 1;          ///< T, 1 .. kMaxFrames
  std::int64_t window_frames = 0;   ///< W on each side, >= 0; 0 means no window at all
  std::int64_t n_first_frames = 0;  ///< always global, >= 0
  std::optional<std::int64_t> interval =
      std::nullopt;         ///< keyframe interval; unset or 0: no keyframe grid
  std::int64_t offset = 0;  ///< rotation of the grid
  bool expand_window = true;
  std::vector<std::int64_t> extra_globals = {};  ///< condition frames and boundary guards; others
                                                 ///< than 0 .. T-1 are left out
};

inline constexpr std::int64_t kMaxFrames = 1 << 24;
/// A pattern with more attended pairs than this (16 GiB of lists) is refused.
inline constexpr std::int64_t kMaxFramePairs = std::int64_t{1} << 32;

struct FramePattern {
  std::vector<std::int32_t> globals;    ///< ascending, unique
  std::vector<std::uint8_t> is_global;  ///< [T]
  std::vector<FrameRange> windows;      ///< [T]
  std::vector<std::int64_t> offsets;    ///< [T + 1]
  std::vector<std::int32_t> list;       ///< [offsets[T]]; ascending and unique within a row

  std::int64_t frames() const { return static_cast<std::int64_t>(windows.size()); }
  /// The frames that frame f attends.
  std::span<const std::int32_t> row(std::int64_t f) const {
    const auto first = static_cast<std::size_t>(offsets[static_cast<std::size_t>(f)]);
    const auto last = static_cast<std::size_t>(offsets[static_cast<std::size_t>(f) + 1]);
    return std::span(list).subspan(first, last - first);
  }
  /// Attended (query frame, key frame) pairs.
  std::int64_t frame_pairs() const { return offsets.back(); }
  /// Share of all (query frame, key frame) pairs that is attended.
  double frame_density() const {
    return static_cast<double>(frame_pairs()) /
           (static_cast<double>(frames()) * static_cast<double>(frames()));
  }
};

/// Share of all (query, key) token pairs that is attended, text included: text keys are attended by
/// all, text queries attend all. The inverse bounds the speedup over dense attention.
double token_density(const FramePattern& pattern, const FrameGrid& grid);

/// Builds the pattern. Throws Error(kValue) that names a size outside its range, and
/// Error(kOverflow) for a pattern with more than kMaxFramePairs pairs.
FramePattern build_frame_pattern(const PatternSpec& spec);

}  // namespace lvsa
