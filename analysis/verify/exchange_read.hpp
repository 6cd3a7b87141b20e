#pragma once
// What stands in one group of an exchange file: inputs and lists held against what the case line
// gives, and the outputs of the script.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analysis/verify/case.hpp"
#include "analysis/verify/judge.hpp"
#include "core/io/tensor_file.hpp"
#include "core/tensor/tensor.hpp"

namespace lvsa::analysis {

/// A fault of the script's or of an edited file: it becomes the verdict of the case.
struct CaseFault {
  std::string message;  ///< one line
};

/// Throws CaseFault unless the tensor is there with the case's layout and type and has the bits of
/// `due` ([B, S, heads, D]).
void compare_input(const TensorSource& file, const std::string& name, const Tensor& due,
                   const Case& c);

/// Throws CaseFault unless the integers are there with this shape and these values.
void compare_list(const TensorSource& file, const std::string& name,
                  const std::vector<std::int64_t>& shape, std::span<const std::int64_t> due);

/// Throws CaseFault unless the tensor is there with this type and shape and has these bits.
void compare_bits(const TensorSource& file, const std::string& name, ElementType type,
                  const std::vector<std::int64_t>& shape, const void* due);

/// What a script left of a case.
struct ScriptOutputs {
  Tensor out;              ///< [B, S, H, D] in the case's type
  std::vector<float> lse;  ///< [B, S, H], natural logarithm; empty when there is none
  lvsa_numerics numerics;  ///< what the file declares

  /// What it refers to is in this, which must stay where it is.
  KernelOutputs view() const;
};

/// Reads out, lse and the declared numerics of a group. Throws CaseFault for what is missing or has
/// the wrong shape or type.
ScriptOutputs read_script_outputs(const TensorSource& file, const std::string& group,
                                  const Case& c);

}  // namespace lvsa::analysis
