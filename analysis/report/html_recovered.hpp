#pragma once
// The mask that a failed kernel was found to have, beside the pattern's.

#include <string>

#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// Section with both drawings and a list of the query frames that differ; empty where no mask was
/// recovered.
std::string recovered_section(const CaseResult& result);

}  // namespace lvsa::analysis
