#pragma once
// report.jsonl: one JSON object a line. The first says what ran ("type": "run"), then one line a
// case ("case"), the last one the outcome ("summary"). Fields: docs/report.md. NaN and infinities
// stand as the strings "NaN", "Infinity", "-Infinity".

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/report/provenance.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// Grows when a field changes its meaning or goes away; new fields leave it as it is.
inline constexpr int kReportSchema = 1;

/// Each without its newline. `plan` is JSON text on what was to be run (analysis/run/plan.hpp);
/// empty: not told.
std::string run_json_line(const Provenance& provenance, const std::string& plan = "");
std::string to_json_line(const CaseResult& result);
/// `hash`: of the lines before it (line_hash.hpp); 0: not told.
std::string summary_json_line(const RunSummary& summary, const Timings& total,
                              std::uint64_t hash = 0);

/// The whole file.
std::string jsonl_report(const std::vector<CaseResult>& results, const Provenance& provenance,
                         const RunSummary& summary);

}  // namespace lvsa::analysis
