#pragma once
// What a file declares of the arithmetic behind its outputs.

#include <string>

#include "core/io/tensor_file.hpp"
#include "core/kernel/lvsa_kernel.h"

namespace lvsa::analysis {

/// Attributes of the group, else of the root, as docs/exchange.md lists them: integers, and
/// p_dtype, accumulator and partial_dtype as texts. Where p_dtype is not said, it is `p_asked`.
/// Throws Error(kValue) that names the object and the attribute.
lvsa_numerics declared_numerics(const TensorSource& file, const std::string& group, DType p_asked);

}  // namespace lvsa::analysis
