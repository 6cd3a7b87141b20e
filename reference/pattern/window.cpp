#include "reference/pattern/window.hpp"

#include <algorithm>

namespace lvsa::reference {

namespace {

std::int64_t frames_outside_globals(const WindowBounds& window, const FrameSet& globals) {
  std::int64_t count = 0;
  for (std::int64_t f = window.lo; f <= window.hi; ++f) {
    if (!globals.contains(f)) ++count;
  }
  return count;
}

WindowBounds expanded_window(WindowBounds window, std::int64_t wanted, std::int64_t total_frames,
                             const FrameSet& globals) {
  std::int64_t found = frames_outside_globals(window, globals);
  while (found < wanted) {
    const WindowBounds before = window;
    if (window.lo > 0) {
      --window.lo;
      if (!globals.contains(window.lo)) ++found;
    }
    // The left side is served first: it may reach the count alone.
    if (found >= wanted) break;
    if (window.hi < total_frames - 1) {
      ++window.hi;
      if (!globals.contains(window.hi)) ++found;
    }
    if (window == before) break;
  }
  return window;
}

}  // namespace

WindowBounds adaptive_window(std::int64_t frame, std::int64_t window_size,
                             std::int64_t total_frames) {
  const std::int64_t W = window_size;
  const std::int64_t T = total_frames;
  return {std::max(std::int64_t{0}, std::min(frame - W, T - 1 - 2 * W)),
          std::min(T - 1, std::max(frame + W, 2 * W))};
}

WindowBounds get_window_bounds(std::int64_t frame, std::int64_t window_size,
                               std::int64_t total_frames, bool expand, const FrameSet& globals) {
  require_size("window_size", window_size, 0);
  require_size("total_frames", total_frames, 1);
  require_size("frame", frame, 0);
  require(frame < total_frames,
          "frame is " + std::to_string(frame) + ", must be below " + std::to_string(total_frames));
  if (window_size == 0) return {frame, frame - 1};
  const WindowBounds adaptive = adaptive_window(frame, window_size, total_frames);
  if (!expand) return adaptive;
  const auto global_count = static_cast<std::int64_t>(globals.size());
  const std::int64_t wanted = std::min(2 * window_size + 1, total_frames - global_count);
  return expanded_window(adaptive, wanted, total_frames, globals);
}

FrameSet attended_frames(const FrameSet& globals, const WindowBounds& window) {
  FrameSet attended = globals;
  for (std::int64_t f = window.lo; f <= window.hi; ++f) attended.insert(f);
  return attended;
}

}  // namespace lvsa::reference
