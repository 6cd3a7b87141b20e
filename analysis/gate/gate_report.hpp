#pragma once
// What a gate found, for people and for CI systems. None of these prints.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/gate/findings.hpp"

namespace lvsa::analysis {

/// "FAILED: 2 failures of correctness", "PASSED", ...: one line.
std::string verdict_text(const GateResult& result, bool strict);

/// Counts, the findings as a table with details below each row, and the verdict as the last line.
/// At most `show` findings of a weight; of sweeps, by setting, worst first: show / 10 settings with
/// show / 30 findings each.
std::string gate_text(const GateResult& result, bool strict, std::size_t show = 100);
/// GitHub's Markdown, for pull requests and $GITHUB_STEP_SUMMARY.
std::string gate_markdown(const GateResult& result, bool strict);
/// JUnit XML: a test case for each case, file, setting and pair.
std::string gate_junit(const GateResult& result, bool strict);
/// The same, piece by piece.
void gate_junit(const GateResult& result, bool strict,
                const std::function<void(std::string_view)>& write);
/// One JSON object in one line.
std::string gate_json(const GateResult& result, bool strict);

/// Workflow commands of GitHub: errors, warnings (undecided, waived) and notices, at most ten of a
/// kind, which is what GitHub shows. `file` is what they are about, for example the baseline.
std::string github_annotations(const GateResult& result, bool strict, const std::string& file);
/// As the message of a workflow command, and as the value of one of its properties.
std::string github_escaped(std::string_view text);
std::string github_escaped_property(std::string_view text);

}  // namespace lvsa::analysis
