#pragma once
// The drawings of report.html, as inline SVG.

#include <string>

#include "analysis/report/html_masks.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// Where an error-over-bound ratio stands on the page's common scale: 0 at 0.001 or below, 1 at 10
/// or above, logarithmic between; NaN counts as above.
double ratio_position(double ratio);

/// Mask (query frames down, key frames across) and, on the same rows, the worst error over bound
/// of each query frame; text rows below. Empty where there is neither.
std::string frame_figure(const CaseResult& result, const MaskEntry& mask);

}  // namespace lvsa::analysis
