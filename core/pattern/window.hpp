#pragma once
// The local window of a query frame. Source: published LVSA behaviour, local window.

#include <cstdint>
#include <span>
#include <vector>

namespace lvsa {

/// Frames lo .. hi, both inclusive; empty when hi < lo.
struct FrameRange {
  std::int32_t lo = 0;
  std::int32_t hi = -1;
  bool empty() const { return hi < lo; }
  std::int32_t size() const { return empty() ? 0 : hi - lo + 1; }
  bool operator==(const FrameRange&) const = default;
};

/// Window of frame f without expansion: width min(2W + 1, T), shifted inwards at the ends. W = 0
/// gives the empty range f .. f - 1.
FrameRange adaptive_window(std::int64_t f, std::int64_t window_frames, std::int64_t frames);

/// Windows of one video, for one set of global frames. Building it costs O(T), a window O(log T).
class WindowRule {
 public:
  /// `globals` ascending and unique, within 0 .. frames - 1.
  WindowRule(std::int64_t frames, std::int64_t window_frames, bool expand,
             std::span<const std::int32_t> globals);

  /// Adaptive window of frame f, widened by one frame left and right in turn until it holds
  /// min(2W + 1, T - |G|) frames outside the global ones, or cannot grow.
  FrameRange operator()(std::int64_t f) const;

 private:
  std::int32_t non_globals(std::int64_t lo, std::int64_t hi) const {
    return before_[static_cast<std::size_t>(hi + 1)] - before_[static_cast<std::size_t>(lo)];
  }

  std::int64_t frames_;
  std::int64_t window_frames_;
  std::int64_t wanted_;               // frames outside G that an expanded window holds
  std::vector<std::int32_t> before_;  // [T + 1]: frames outside G below an index; empty: adaptive
};

}  // namespace lvsa
