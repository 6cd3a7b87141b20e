#pragma once
// What a kernel may have taken for the pattern: the usual mistakes, each as the lists that it
// gives.

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/verify/case.hpp"
#include "core/pattern/frame_pattern.hpp"

namespace lvsa::analysis {

using AttendedFrames = std::vector<std::vector<std::int32_t>>;

struct NamedLists {
  std::string name;  ///< completes "attends as ...": "if every frame attended every frame (dense)"
  AttendedFrames lists;
};

/// Every alternative that differs from the case's own pattern, each once, by all its names:
/// dense, other steps, grids that do not rotate or wrap, other windows, intervals and first frames,
/// frames left out, shifted rows.
std::vector<NamedLists> alternative_patterns(const Case& c);

/// Lists with as many entries a row and equal sums, different wherever that can be: the pattern of
/// an earlier call that a kernel with a stale plan would go on using.
FramePattern decoy_pattern(const FramePattern& pattern);

/// The same pattern in the two forms.
AttendedFrames lists_of(const FramePattern& pattern);
FramePattern pattern_of(const AttendedFrames& lists);

}  // namespace lvsa::analysis
