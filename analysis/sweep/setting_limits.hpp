#pragma once
// How large the numbers of a setting may be: far beyond every video, and small enough that nothing
// overflows.

#include <cstdint>

namespace lvsa::analysis {

inline constexpr std::int64_t kMostSettingFrames = 65536;
inline constexpr double kMostSettingScale = 1000.0;

}  // namespace lvsa::analysis
