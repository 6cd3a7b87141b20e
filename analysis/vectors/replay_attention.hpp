#pragma once
// Replays recorded attention outputs against the fp64 oracle.

#include <functional>
#include <string>

#include "analysis/vectors/replay.hpp"

namespace lvsa::analysis {

/// An fp64 output passes within this times the magnitude A_c = sum p_j |v_jc| / L of its element.
inline constexpr double kDoubleTolerance = 1e-12;

/// Every output dataset of every group is a case: fp64 ones within kDoubleTolerance, others within
/// their tier A bound; so are the recorded keyframe interval and the global frames of each step,
/// where the file has them.
ReplaySummary replay_attention(const std::string& path,
                               const std::function<void(const Mismatch&)>& report);

}  // namespace lvsa::analysis
