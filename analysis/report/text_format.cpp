#include "analysis/report/text_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace lvsa::analysis {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// The character at the front of `text` and its length in bytes; length 0 where it is no UTF-8.
struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 0;
};

Character front_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
  std::uint32_t code = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    code = (code << 6) | (byte(i) & 0x3FU);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kLeast[bytes] || surrogate || code > 0x10FFFF) return {};
  return {code, bytes};
}

// Calls put(character, its bytes) for each character; {0, 0} and the replacement for a wrong byte.
template <typename Put>
void for_each_character(std::string_view text, Put put) {
  while (!text.empty()) {
    const Character character = front_character(text);
    put(character, character.bytes == 0 ? kReplacement : text.substr(0, character.bytes));
    text.remove_prefix(std::max<std::size_t>(character.bytes, 1));
  }
}

bool xml_allows(std::uint32_t code) {
  if (code < 0x20) return code == '\t' || code == '\n' || code == '\r';
  return code != 0x7F && code != 0xFFFE && code != 0xFFFF;
}

std::string_view reference(std::uint32_t code) {
  switch (code) {
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '&':
      return "&amp;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    // A plain line break in an attribute would be read back as a blank.
    case '\t':
      return "&#9;";
    case '\n':
      return "&#10;";
    case '\r':
      return "&#13;";
    default:
      return {};
  }
}

std::string token_text(const ElementReport& element) {
  const std::string where = element.frame < 0 ? fmt::format("text, row {}", element.row_in_frame)
                                              : fmt::format("frame {}, row {} of it", element.frame,
                                                            element.row_in_frame);
  return fmt::format("batch {}, token {} ({}), head {}", element.batch, element.token, where,
                     element.head);
}

std::string worst_text(const char* name, const OutputCheck& check, const std::string& place) {
  std::string text =
      fmt::format("{}: {} of {} elements outside their bounds", name, check.failed, check.checked);
  if (check.unwritten > 0) text += fmt::format(", {} never written", check.unwritten);
  if (check.failed > 0) {
    const ElementReport& worst = check.worst;
    text += fmt::format("\nworst: {}: expected {}, got {}, tolerance {}, error / tolerance {}",
                        place, number_text(worst.expected, 9), number_text(worst.got, 9),
                        number_text(worst.tolerance.total), number_text(worst.ratio));
  }
  return text;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string valid;
  for_each_character(text, [&](Character, std::string_view bytes) { valid += bytes; });
  return valid;
}

std::string escape_markup(std::string_view text) {
  std::string escaped;
  for_each_character(text, [&](Character character, std::string_view bytes) {
    if (character.bytes > 0 && !xml_allows(character.code)) return;
    const std::string_view as_reference = reference(character.code);
    escaped += as_reference.empty() ? bytes : as_reference;
  });
  return escaped;
}

std::string number_text(double value, int digits) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return fmt::format("{:.{}g}", value, digits);
}

std::string seconds_text(double seconds) {
  if (!(seconds >= 0.0) || std::isinf(seconds)) return "-";
  // The limits are those at which three digits would round up to the next unit.
  if (seconds < 0.9995e-3) return fmt::format("{:.0f} us", seconds * 1e6);
  if (seconds < 0.9995) return fmt::format("{:.3g} ms", seconds * 1e3);
  if (seconds < 99.95) return fmt::format("{:.3g} s", seconds);
  const double rounded = std::round(seconds);
  const double minutes = std::floor(rounded / 60.0);
  return fmt::format("{:.0f} min {:02.0f} s", minutes, rounded - 60.0 * minutes);
}

std::string percent_text(double share) {
  if (!std::isfinite(share)) return "-";
  return fmt::format("{:.1f} %", share * 100.0);
}

std::string place_text(const ElementReport& element) {
  return fmt::format("{}, column {}", token_text(element), element.column);
}

std::string lse_place_text(const ElementReport& element) { return token_text(element); }

std::string failure_details(const CaseResult& result) {
  std::string text = result.message;
  const auto add = [&](const std::string& line) {
    if (!text.empty()) text += '\n';
    text += line;
  };
  if (result.output.failed > 0 || result.output.unwritten > 0) {
    add(worst_text("output", result.output, place_text(result.output.worst)));
  }
  if (result.lse.failed > 0 || result.lse.unwritten > 0) {
    add(worst_text("log-sum-exp", result.lse, lse_place_text(result.lse.worst)));
  }
  add("reproduce: " + result.command);
  return text;
}

std::string kernel_names(const std::vector<CaseResult>& results) {
  std::vector<std::string_view> seen;
  std::string names;
  for (const CaseResult& result : results) {
    if (std::find(seen.begin(), seen.end(), result.kernel) != seen.end()) continue;
    seen.push_back(result.kernel);
    names += (names.empty() ? "" : ", ") + result.kernel;
  }
  return names;
}

Timings total_timings(const std::vector<CaseResult>& results) {
  Timings total;
  for (const CaseResult& result : results) {
    total.inputs_s += result.timings.inputs_s;
    total.kernel_s += result.timings.kernel_s;
    total.oracle_s += result.timings.oracle_s;
  }
  return total;
}

}  // namespace lvsa::analysis
