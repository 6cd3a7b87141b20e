#pragma once
// report.xml: the run as JUnit XML, the form that CI systems read. One test case a case line; a
// failed case carries what was wrong and the command that repeats it.

#include <string>
#include <vector>

#include "analysis/report/provenance.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// Weak cases count as passed and say so in <system-out>; unsupported ones are <skipped>.
std::string junit_report(const std::vector<CaseResult>& results, const Provenance& provenance);

}  // namespace lvsa::analysis
