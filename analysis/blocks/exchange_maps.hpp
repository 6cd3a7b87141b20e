#pragma once
// Block maps in an exchange file: what `lvsa-verify export` writes of a case with a pattern, and
// how `check` judges what a script made of it. The form is described in docs/exchange.md.

#include <string>

#include "analysis/blocks/block_case.hpp"
#include "analysis/verify/exchange.hpp"

namespace lvsa::analysis {

/// Writes blocks, maps, masks, orders and thresholds of a case into its group, which is there.
void write_exchange_maps(TensorSink& file, const std::string& group, const Case& c,
                         const BlockCase& made);

/// Judges one group of a case with a pattern as run_block_case() judges a kernel; whoever calls has
/// filled in the case. Throws CaseFault (exchange_read.hpp) for what the script left out or got
/// wrong, and for inputs or maps that are not what the case line gives.
void check_exchange_maps(CaseResult& result, const ExchangeFiles& files, const std::string& group,
                         const RunOptions& options);

}  // namespace lvsa::analysis
