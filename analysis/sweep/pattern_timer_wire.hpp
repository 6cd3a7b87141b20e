#pragma once
// A time as bytes, for the way between two processes of one executable.

#include <string>
#include <string_view>

#include "analysis/sweep/pattern_timing.hpp"

namespace lvsa::analysis {

std::string timed_bytes(const TimedPattern& timed);
/// Throws ProcessLost for bytes that are no time.
TimedPattern parse_timed(std::string_view bytes);

}  // namespace lvsa::analysis
