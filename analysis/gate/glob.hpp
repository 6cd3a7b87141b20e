#pragma once
// Patterns of names: '*' for any text, also none; '?' for one character; all else for itself. No
// brackets, since case lines may hold them.

#include <string_view>

namespace lvsa::analysis {

/// Whether the pattern is that of the whole text. Time: at most the product of their lengths.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace lvsa::analysis
