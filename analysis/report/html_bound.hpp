#pragma once
// The worst elements of a case in report.html: place, values, and the terms of their bounds.

#include <string>

#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// Sections "Worst element" of tier A, tier B and the log-sum-exp, and both tiers' terms drawn to
/// one scale.
std::string worst_elements(const CaseResult& result);

/// The terms of both tiers as bars on one scale, with the error; empty without a tolerance.
std::string bound_figure(const CaseResult& result);

}  // namespace lvsa::analysis
