#pragma once
// The compact text form of a mask, as the published mask log prints it.

#include <string>

#include "core/pattern/frame_pattern.hpp"

namespace lvsa {

/// What one cell of a mask is, and its character.
enum class MaskCell : char { kSkip = '.', kGlobal = 'G', kWindow = 'W', kBoth = 'X' };

MaskCell mask_cell(const FramePattern& pattern, std::int64_t query_frame, std::int64_t key_frame);

/// A header of column marks, one row a frame with a character a column and the row's count, and a
/// summary line; each line ends with a newline.
std::string mask_text(const FramePattern& pattern);

}  // namespace lvsa
