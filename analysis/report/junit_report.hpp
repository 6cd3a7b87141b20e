#pragma once
// report.xml: the run as JUnit XML, the form that CI systems read. One test case a case line; a
// failed case carries what was wrong and the command that repeats it.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/report/provenance.hpp"
#include "analysis/report/run_totals.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// Weak cases count as passed and say so in <system-out>; unsupported ones are <skipped>.
/// `write` gets the text piece by piece.
void junit_report(const ResultSource& results, const Provenance& provenance,
                  const std::function<void(std::string_view)>& write);
std::string junit_report(const std::vector<CaseResult>& results, const Provenance& provenance);

}  // namespace lvsa::analysis
