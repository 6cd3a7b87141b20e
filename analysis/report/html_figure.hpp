#pragma once
// The drawings of report.html, as inline SVG.

#include <string>

#include "analysis/report/html_masks.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// The page's common scale of error over bound: healthy kernels use up hundredths of their bounds
/// and less, wrong ones may be off by any factor.
inline constexpr double kMinRatio = 1e-4;
inline constexpr double kMaxRatio = 100.0;

/// Where a ratio stands on that scale: 0 at its lower end or below, 1 at its upper end or above,
/// logarithmic between; NaN counts as above.
double ratio_position(double ratio);

/// Whether a row of any frame was checked.
bool has_frame_ratios(const CaseResult& result);

/// Mask (query frames down, key frames across) and, on the same rows, the worst error over bound
/// by head and of each query frame; text rows below. Empty where there is neither.
std::string frame_figure(const CaseResult& result, const MaskEntry& mask);

}  // namespace lvsa::analysis
