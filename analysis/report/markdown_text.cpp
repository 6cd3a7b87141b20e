#include "analysis/report/markdown_text.hpp"

#include <algorithm>

#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {

// Text as it is, on one line: what Markdown or HTML would take for its own is escaped.
std::string markdown_text(std::string_view text) {
  constexpr std::string_view kSpecial = "\\`*_{}[]<>#|~&!$@";
  std::string escaped;
  for (const char c : valid_utf8(text)) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
      escaped += ' ';
      continue;
    }
    if (kSpecial.find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// A code span: its fence is longer than any row of backticks within.
std::string markdown_code(std::string_view text, bool in_table) {
  std::string line;
  for (const char c : valid_utf8(text)) {
    if (in_table && c == '|') line += '\\';
    line += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c;
  }
  std::size_t longest = 0;
  std::size_t row = 0;
  for (const char c : line) {
    row = c == '`' ? row + 1 : 0;
    longest = std::max(longest, row);
  }
  const std::string fence(longest + 1, '`');
  if (line.empty()) return "";
  // A blank on both sides is taken off again by the reader.
  const bool pad = longest > 0 || line.front() == ' ' || line.back() == ' ';
  return fence + (pad ? " " : "") + line + (pad ? " " : "") + fence;
}

// One line for a fenced block.
std::string one_code_line(std::string_view text) {
  std::string line = valid_utf8(text);
  std::replace_if(
      line.begin(), line.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, ' ');
  return line;
}

}  // namespace lvsa::analysis
