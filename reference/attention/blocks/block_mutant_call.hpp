#pragma once
// One call of the emulated block kernel.

#include "reference/attention/blocks/block_mutants.hpp"

namespace lvsa::reference {

/// Computes out and lse of a well-formed problem with the defect.
void run_block_mutant(const lvsa_block_problem& problem, BlockDefect defect);

}  // namespace lvsa::reference
