#pragma once
// Foreign text in Markdown: it may hold what Markdown or HTML would take for its own.

#include <string>
#include <string_view>

namespace lvsa::analysis {

/// As it is, on one line, with everything escaped that means something to GitHub's Markdown.
std::string markdown_text(std::string_view text);
/// A code span; in a table, '|' is escaped.
std::string markdown_code(std::string_view text, bool in_table = false);
/// One line for a fenced block.
std::string one_code_line(std::string_view text);

}  // namespace lvsa::analysis
