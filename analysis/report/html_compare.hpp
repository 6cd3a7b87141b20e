#pragma once
// The page of a comparison of sparse patterns.

#include <string>

#include "analysis/sweep/pattern_compare.hpp"

namespace lvsa::analysis {

/// Self-contained: figures by layer and head class, the Pareto figure, a table, what was left out.
std::string html_compare(const CompareResults& results);
/// The same into a file, whole or not at all.
void write_compare_page(const CompareResults& results, const std::string& path);

}  // namespace lvsa::analysis
