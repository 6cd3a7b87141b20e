#pragma once
// What is asked of a kernel beside the outputs of a case: which keys it attends, and, when it is
// wrong, whether that comes of something that it says it can do.

#include <string>
#include <string_view>

#include "analysis/verify/result.hpp"
#include "analysis/verify/run_case.hpp"
#include "core/kernel/lvsa_kernel.h"

namespace lvsa::analysis {

/// The check that what a kernel declares is so: run_case() finds that it refuses what it declares,
/// add_probes() that it is wrong only with something that it declares.
inline constexpr std::string_view kCapabilitiesCheck = "capabilities";

/// Adds to the result of a small generated case the check "mask" (docs/recover.md) and, where the
/// mask or the case fails, the mask itself; and when the case fails, "capabilities": the kernel is
/// wrong only with text, with groups, with a batch, with this type, layout or head size. A case
/// that passed until then fails with the mask. Larger cases are left as they are.
void add_probes(CaseResult& result, const lvsa_kernel& kernel, const RunOptions& options);

/// What a case asks of a kernel's capabilities: "bf16, D=64, 5 text tokens, batch 2".
std::string claims_of(const Case& c);

}  // namespace lvsa::analysis
