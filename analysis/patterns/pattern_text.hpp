#pragma once
// A pattern, a rule or a difference for people and for programs.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "analysis/patterns/pattern_figures.hpp"
#include "core/blocks/pattern_rule.hpp"
#include "core/io/png_image.hpp"

namespace lvsa::analysis {

/// Lines of "name  value".
std::string figures_text(const PatternFigures& figures);
/// One line for tables of many patterns, behind figures_heading().
std::string figures_line(const PatternFigures& figures);
std::string figures_heading();
nlohmann::ordered_json figures_json(const PatternFigures& figures);

/// Lines that end with "same" where there is no difference.
std::string difference_text(const PatternDifference& difference);
nlohmann::ordered_json difference_json(const PatternDifference& difference);

/// Every rule with its title and summary.
std::string rules_text();
nlohmann::ordered_json rules_json();
/// Source, parameters with defaults, and the one that decides on density.
std::string rule_text(const RuleInfo& rule);

/// The block map as a picture, at most `most_pixels` on a side: the share of blocks of a pixel that
/// are kept, the darker the more; the ground where none is.
PaletteImage draw_block_map(const BlockMap& map, const std::string& title,
                            std::size_t most_pixels = 1024);

}  // namespace lvsa::analysis
