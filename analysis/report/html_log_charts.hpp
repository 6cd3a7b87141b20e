#pragma once
// The drawings of a log's page, as inline SVG.

#include <string>
#include <vector>

#include "analysis/diagnose/log_verdict.hpp"

namespace lvsa::analysis {

/// The class of report.html's colours that a verdict has: "pass", "fail" or "unsupported".
std::string_view verdict_class(Verdict verdict);

/// A lane a rank, a bar a request, over the lines of the log.
std::string lanes_figure(const LogFacts& facts, const LogVerdict& verdict);

/// Values in the order of the log, from 0; `breaks`: where another request begins.
struct ChartLine {
  std::string name;
  std::vector<double> values;
};
/// Empty without a value. At most four lines; long ones are drawn by their largest values.
std::string line_figure(const std::vector<ChartLine>& lines, const std::vector<std::size_t>& breaks,
                        const std::string& unit, const std::string& label);

/// Rows of G, W, X and '.', a frame each.
std::string mask_figure(const std::vector<std::string>& rows, const std::string& label);

}  // namespace lvsa::analysis
