#pragma once
// What in a log contradicts itself or deserves a look, beside the verdict.

#include "analysis/diagnose/log_verdict.hpp"

namespace lvsa::analysis {

/// Fills verdict.findings from the facts and the verdicts, the bad ones first.
void find_in_log(const LogFacts& facts, LogVerdict& verdict);

}  // namespace lvsa::analysis
