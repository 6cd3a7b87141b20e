#pragma once
// An emulated kernel of the flash-attention kind for the host (tiles of keys, running maximum,
// rescaling, P rounded to bf16, fp32 accumulators), healthy or with one defect of the corpus. It
// exists to be judged: readable, slow, and behind the same C interface as any other kernel.

#include "core/kernel/lvsa_kernel.h"
#include "reference/attention/mutants/defects.hpp"

namespace lvsa::reference {

/// The emulated kernel with a defect, named "emulated-<defect>"; kNone: healthy, "emulated".
const lvsa_kernel& mutant_kernel(Defect defect);

/// Forgets what the defects that remember earlier calls have stored. Not to be called while one of
/// the kernels runs.
void forget_previous_calls();

}  // namespace lvsa::reference
