#pragma once
// A map as text for people and for programs.

#include <string>

#include "analysis/maps/mask_map.hpp"

namespace lvsa::analysis {

/// Forms with a character a cell are refused beyond this many cells.
inline constexpr std::int64_t kMaxTextCells = std::int64_t{1} << 28;
/// JSON lists at most this many attended frames, over all rows.
inline constexpr std::int64_t kMaxListedPairs = std::int64_t{1} << 26;

/// A few lines that say what the pattern is and what it costs.
std::string mask_summary(const MaskMap& map);

/// The published compact text (core/pattern/mask_text.hpp). Throws Error(kValue) beyond
/// kMaxTextCells.
std::string mask_as_text(const MaskMap& map);

/// Header "query_frame,0,1,...", then a row a query frame with G, W, X or . for each key frame.
/// Throws Error(kValue) beyond kMaxTextCells.
std::string mask_as_csv(const MaskMap& map);

/// One object: settings, interval and its terms, global frames, counts, and a row a query frame
/// with its window (first and last frame, or null) and the frames that it attends. Throws
/// Error(kValue) beyond kMaxListedPairs.
std::string mask_as_json(const MaskMap& map);

}  // namespace lvsa::analysis
