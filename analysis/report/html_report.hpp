#pragma once
// report.html: the whole run as one page that needs nothing but itself.

#include <string>
#include <vector>

#include "analysis/report/provenance.hpp"
#include "analysis/report/run_totals.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// No network, no external font or script; light, dark and print; works from the keyboard and reads
/// without its script.
/// `totals` are those of the whole run, of which `results` may be a part.
std::string html_report(const std::vector<CaseResult>& results, const Provenance& provenance,
                        const RunTotals& totals);
std::string html_report(const std::vector<CaseResult>& results, const Provenance& provenance,
                        const RunSummary& summary);

}  // namespace lvsa::analysis
