#pragma once
// Handmade results for the tests of the reports: no kernel runs here.

#include <vector>

#include "analysis/report/provenance.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// A plain passed case with all its numbers.
CaseResult sample_result(std::int64_t frames = 41);

/// About thirty cases of the published models: passed, two weak, a failed, an error, an
/// unsupported one.
std::vector<CaseResult> sample_run();

Provenance sample_provenance();

}  // namespace lvsa::analysis
