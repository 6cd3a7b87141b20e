#pragma once
// What is asked of a kernel beside the outputs of a case: which keys it attends, and, when it is
// wrong, whether that comes of something that it says it can do.

#include <string>

#include "analysis/verify/result.hpp"
#include "analysis/verify/run_case.hpp"
#include "core/kernel/lvsa_kernel.h"

namespace lvsa::analysis {

/// Adds to the result of a small generated case the check "mask" (docs/recover.md), and, when the
/// case fails, "capabilities": the kernel refuses what it declares, or is wrong only with text,
/// with groups, with a batch, with this type, layout or head size. A case that passed until then
/// fails with the mask. Larger cases are left as they are.
void add_probes(CaseResult& result, const lvsa_kernel& kernel, const RunOptions& options);

/// What a case asks of a kernel's capabilities: "bf16, D=64, 5 text tokens, batch 2".
std::string claims_of(const Case& c);

}  // namespace lvsa::analysis
