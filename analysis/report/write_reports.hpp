#pragma once
// The report files of a run.

#include <string>
#include <vector>

#include "analysis/report/provenance.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// Writes report.jsonl, report.xml and report.html into `folder`, which is made when it is not
/// there. A file stands under its name whole or not at all. Throws Error(kIo) that names the path
/// and the reason.
void write_reports(const std::string& folder, const std::vector<CaseResult>& results,
                   const Provenance& provenance, const RunSummary& summary);

}  // namespace lvsa::analysis
