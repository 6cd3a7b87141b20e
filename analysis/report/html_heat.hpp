#pragma once
// The map of worst errors by query frame and head, as part of a drawing of a case.

#include <cstdint>
#include <string>

#include "analysis/verify/frame_heads.hpp"

namespace lvsa::analysis {

/// Where the map stands within a drawing, in pixels.
struct HeatPlan {
  std::int64_t frames = 0;
  std::int64_t heads = 0;
  double x = 0.0;
  double y = 0.0;           ///< of frame 0
  double frame_height = 0;  ///< of one frame, as in the mask beside it
  double head_width = 0.0;
  double text_y = 0.0;  ///< of the row of the text
  double bottom = 0.0;
};

/// Height of the row of the text, in pixels.
inline constexpr double kTextRowHeight = 10.0;

/// 1 .. 4: within the bound (up to 0.01, 0.1, 0.5, 1); 5: up to ten times; 6: more, or no number.
int heat_level(double ratio);
/// "up to 0.01", ..., "above 10".
std::string heat_name(int level);

/// Cells, crosses on those above 1, labels of the heads.
std::string heat_part(const HeatPlan& plan, const FrameHeadMap& map);
/// "Worst error over bound by frame and head: 3 of 252 checked cells above 1, the worst 15 at frame
/// 17, head 0."
std::string heat_label(std::int64_t frames, const FrameHeadMap& map);
/// <li> entries.
std::string heat_legend();

}  // namespace lvsa::analysis
