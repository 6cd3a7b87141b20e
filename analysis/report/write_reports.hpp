#pragma once
// The report files of a run.

#include <string>
#include <vector>

#include "analysis/report/provenance.hpp"
#include "analysis/report/run_totals.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// Makes a folder for reports, with those above it. Throws Error(kIo) that names the path and the
/// reason.
void make_report_folder(const std::string& folder);

/// Writes report.xml, report.md and report.html into `folder`, which is there; report.jsonl is the
/// run's own (analysis/run/result_store.hpp). A file stands under its name whole or not at all. The
/// page holds at most kMostCasesOnPage cases, failed and weak ones first. Throws Error(kIo) that
/// names the path and the reason.
void write_derived_reports(const std::string& folder, const ResultSource& results,
                           const Provenance& provenance);
inline constexpr std::int64_t kMostCasesOnPage = 10000;
/// Takes them away, before a run whose reports they are not, with what a killed process has left
/// half written.
void remove_derived_reports(const std::string& folder);

/// All four, of a run that is in memory; makes the folder.
void write_reports(const std::string& folder, const std::vector<CaseResult>& results,
                   const Provenance& provenance, const RunSummary& summary);

}  // namespace lvsa::analysis
