#pragma once
// Masks of report.html as SVG symbols. Cases often share a pattern: each is drawn once.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "analysis/verify/case.hpp"
#include "core/pattern/frame_pattern.hpp"

namespace lvsa::analysis {

/// Patterns of more frames are not drawn: a cell would be much smaller than a pixel.
inline constexpr std::int64_t kMaxDrawnFrames = 1024;

/// The cells of a pattern in units of frames (viewBox 0 0 T T), grown together into rectangles:
/// one a run of global columns, one a run of window cells of a row. Size O(T), not O(T * T).
std::string mask_shapes(const FramePattern& pattern);

/// A mask that a page can <use>, or why there is none.
struct MaskEntry {
  std::string symbol_id;    ///< empty: not drawn
  std::string note;         ///< why not
  std::size_t globals = 0;  ///< global frames, where it is drawn
};

class MaskLibrary {
 public:
  /// Rebuilds the pattern of a case. Never throws Error: what is wrong stands in the note.
  MaskEntry add(const Case& c);
  /// Id and <symbol> of each, in the order of their first use.
  const std::vector<std::pair<std::string, std::string>>& symbols() const { return symbols_; }

 private:
  std::map<std::string, std::string> id_of_symbol_;  // content -> id
  std::vector<std::pair<std::string, std::string>> symbols_;
};

}  // namespace lvsa::analysis
