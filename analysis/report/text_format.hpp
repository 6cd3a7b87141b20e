#pragma once
// How values and foreign text are written in reports. Messages, case lines and paths are foreign:
// they may hold markup, control characters or bytes that are no UTF-8.

#include <string>
#include <string_view>
#include <vector>

#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// `text` as UTF-8: every byte that is part of no valid sequence becomes U+FFFD.
std::string valid_utf8(std::string_view text);

/// For text and quoted attributes of XML and HTML: < > & " ' and line breaks as references, bytes
/// that are no UTF-8 as U+FFFD, and the characters that XML 1.0 forbids left out.
std::string escape_markup(std::string_view text);

/// `digits` significant digits; "NaN", "Infinity", "-Infinity" where there are none.
std::string number_text(double value, int digits = 3);
/// "812 us", "1.23 ms", "4.56 s", "2 min 03 s". Not for NaN or negative times: "-".
std::string seconds_text(double seconds);
/// 0.2345 -> "23.5 %".
std::string percent_text(double share);

/// "batch 0, token 1234 (frame 17, row 98 of it), head 3, column 57".
std::string place_text(const ElementReport& element);
/// The same without the column: the log-sum-exp has none.
std::string lse_place_text(const ElementReport& element);

/// What one needs to know about a case that is not a plain pass, several lines without the last
/// newline: the message, the worst element of each output with failures, the command that repeats.
std::string failure_details(const CaseResult& result);

/// The names of the kernels, each once, in the order of their appearance, joined by ", ".
std::string kernel_names(const std::vector<CaseResult>& results);
/// Sum of the times of all cases.
Timings total_timings(const std::vector<CaseResult>& results);

}  // namespace lvsa::analysis
