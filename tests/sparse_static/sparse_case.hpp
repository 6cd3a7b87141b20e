#pragma once
// What the tests of static patterns share: random videos, and a pattern as a mask of tokens.

#include <rapidcheck.h>

#include <string>

#include "core/blocks/head_pattern.hpp"
#include "core/blocks/pattern_rule.hpp"
#include "reference/sparse/token_rules.hpp"

namespace lvsa::sparse_test {

PatternInput input_of(const reference::SparseVideo& video);
/// The pattern that the words give for the video; also holds check_head_pattern() on it.
HeadPattern pattern_of(const std::string& words, const reference::SparseVideo& video,
                       std::int64_t step = 0);
/// Over tokens of the sequence, through visible_tokens().
reference::TokenMask token_mask(const HeadPattern& pattern);
/// Up to `most` video tokens; now and then one frame, frames of one token; text 0 to 512.
rc::Gen<reference::SparseVideo> any_video(std::int64_t most_frames, std::int64_t most_side);
std::string describe(const reference::SparseVideo& video);

}  // namespace lvsa::sparse_test
