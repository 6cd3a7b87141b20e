#pragma once
// Sets of numbers as people write them.

#include <cstdint>
#include <string>
#include <vector>

namespace lvsa::analysis {

/// "3, 5-7, 12" for ascending unique numbers; neighbours joined, pairs too. At most `most` parts,
/// then " and 8 more".
std::string number_ranges(const std::vector<std::int64_t>& numbers, std::size_t most = 12);

/// "frame 3" or "frames 3, 5-7".
std::string counted(const std::string& noun, const std::vector<std::int64_t>& numbers);

}  // namespace lvsa::analysis
