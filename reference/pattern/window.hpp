#pragma once
// The local window of a query frame, and the set of frames that it attends. Source: LVSA 1.2
// behaviour, local window of a query frame.

#include <cstdint>

#include "reference/pattern/frame_set.hpp"

namespace lvsa::reference {

/// Frames lo .. hi, both included; an empty window is [f, f - 1].
struct WindowBounds {
  std::int64_t lo = 0;
  std::int64_t hi = -1;
  bool operator==(const WindowBounds&) const = default;
};

/// The window of half width `window_size`, shifted inwards at the ends of the video so that it
/// keeps the width min(2 * window_size + 1, total_frames).
WindowBounds adaptive_window(std::int64_t frame, std::int64_t window_size,
                             std::int64_t total_frames);

/// The window that is in force: empty for window_size 0, else the adaptive one, widened when
/// `expand` until it holds min(2 * window_size + 1, total_frames - |globals|) frames that are not
/// global.
///
/// @param frame         query frame, 0 .. total_frames - 1
/// @param window_size   half width, latent frames, at least 0
/// @param total_frames  latent frames of the video, at least 1
/// @param expand        LVSA_EXPAND_WINDOW
/// @param globals       global frames, all in 0 .. total_frames - 1
/// @throws lvsa::Error ValueError for a value out of range
WindowBounds get_window_bounds(std::int64_t frame, std::int64_t window_size,
                               std::int64_t total_frames, bool expand, const FrameSet& globals);

/// The frames attended by a query frame: the global frames and those of its window, each once.
FrameSet attended_frames(const FrameSet& globals, const WindowBounds& window);

}  // namespace lvsa::reference
