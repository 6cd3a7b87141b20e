#pragma once
// The mask log: at which steps it is written, and the text that it writes. Source: LVSA 1.2
// behaviour, mask log (unchanged in 1.3).

#include <cstdint>
#include <string>

#include "reference/pattern/frame_set.hpp"

namespace lvsa::reference {

/// Whether LVSA_MASK_LOG = `spec` asks for the mask at `step`.
/// @param last  the step at which it was written last, -1 when it was not yet
bool mask_log_should_fire(const std::string& spec, std::int64_t step, std::int64_t last);

/// The compact text of a mask: a header with the last digit of every fifth frame, a row per query
/// frame (G global, W window, X both, . neither; then the number of attended frames) and a summary
/// line. Lines end with a line feed.
///
/// @param total_frames  T, at least 1
/// @param window_size   W, at least 0
/// @param globals       global frames, all in 0 .. T - 1
/// @throws lvsa::Error ValueError for a size out of range
std::string print_attention_mask_compact(std::int64_t total_frames, std::int64_t window_size,
                                         const FrameSet& globals, bool expand);

}  // namespace lvsa::reference
