#pragma once
// What every launch over a batch of configurations checks first.

#include "cuda/pattern/pattern.hpp"

namespace lvsa::cuda {

/// Throws Error(kValue) that names the field which is null, negative or too large.
void check_batch(const PatternBatch& batch, const PatternSummary* summary);

}  // namespace lvsa::cuda
