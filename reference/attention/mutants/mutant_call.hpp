#pragma once
// One call of the emulated kernel: which keys each row gets to see, and where its result goes.

#include "core/kernel/lvsa_kernel.h"
#include "reference/attention/mutants/defects.hpp"
#include "reference/attention/mutants/mutant_row.hpp"

namespace lvsa::reference {

/// Computes out and lse of a well-formed problem with a defect. Reads inside the problem's tensors
/// only, also where the defect stands for a read outside; two defects write behind rows of the
/// output, which needs memory there. `dirty_workspace`: what one defect asks its workspace.
void run_mutant(const lvsa_problem& problem, Defect defect, bool dirty_workspace);

}  // namespace lvsa::reference
