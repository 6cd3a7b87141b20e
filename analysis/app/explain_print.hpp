#pragma once
// What lvsa-verify explain prints of an explanation.

#include <string>

#include "analysis/blocks/explained_map.hpp"
#include "analysis/verify/explain.hpp"

namespace lvsa::app {

/// What the denominator sums, in words.
const char* denominator_name(analysis::Denominator denominator);

/// Sections of text: the row, the arithmetic, output and log-sum-exp by tier A and, where a
/// schedule is declared, by tier B, and the keys that add most.
void print_text(const analysis::Explanation& explanation);

/// A token by its place in the video: "token 130 (frame 2, row 0)" or "(text row 3)".
std::string token_text(const analysis::Case& c, std::int64_t token);

/// All of it as one JSON object in a line.
void print_json(const analysis::Explanation& explanation);

/// The sections of a block map: the rule, the blocks that the row attends, the other rule.
void print_map(const analysis::Explanation& explanation);
/// A pair of blocks, and the same as JSON.
void print_pair(const analysis::Case& c, const analysis::ExplainedPair& pair);
void print_pair_json(const analysis::Case& c, const analysis::ExplainedPair& pair);

}  // namespace lvsa::app
