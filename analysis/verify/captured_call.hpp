#pragma once
// One attention call in a file of captured tensors: where q, k, v, out and lse lie and in which
// order, and their elements in the order of a case.

#include <optional>
#include <string>
#include <vector>

#include "analysis/verify/capture_axes.hpp"
#include "analysis/verify/case.hpp"
#include "analysis/verify/inputs.hpp"
#include "core/io/tensor_file.hpp"

namespace lvsa::analysis {

/// The word file= of a case: "path#group", with "@order" behind where the order of the dimensions
/// was given by hand.
struct CaptureName {
  std::string path;
  std::string group;  ///< empty: the root
  std::optional<Axes> axes;
};
/// Throws Error(kValue) for a text without '#'.
CaptureName parse_capture_name(const std::string& text);

/// A tensor of a call, or a third of a packed one.
struct CapturedTensor {
  std::string name;
  TensorForm form;
  Axes axes;              ///< of the form, '3' included
  std::int64_t part = 0;  ///< 0 q, 1 k, 2 v in a packed tensor

  std::array<std::int64_t, 4> sizes() const { return bshd_sizes(axes, form.shape); }
};

/// How many tokens a sequence may have; for finding out which dimension it is.
struct TokenRange {
  std::int64_t least = 1;
  std::int64_t most = INT64_MAX;
};

/// An attribute of a group, or of the nearest one around it.
std::optional<std::string> inherited_text(const TensorSource& file, const std::string& group,
                                          const std::string& name);
std::optional<std::int64_t> inherited_integer(const TensorSource& file, const std::string& group,
                                              const std::string& name);

/// q, k and v of a group, which has them or a packed tensor qkv. The order of the dimensions is
/// `asked`, else attribute `layout`, else the only one of [B, S, H, D], [B, H, S, D] and [S, B, H,
/// D] (or without B) whose S lies in `tokens`; [B, S, H, D] where none does. Throws Error(kIo or
/// kValue) that names what is missing, of another type, or does not fit together.
std::vector<CapturedTensor> captured_inputs(const TensorSource& file, const std::string& group,
                                            const std::optional<Axes>& asked,
                                            const TokenRange& tokens);

/// One tensor in the case's layout and in `dtype`, else the case's type; `heads` of it are due.
/// Throws Error(kValue) for sizes other than the case's, and with `finite` for a NaN or an
/// infinity, with its place.
Tensor read_captured(const TensorSource& file, const CapturedTensor& tensor, const Case& c,
                     std::int64_t heads, bool finite, DType dtype = LVSA_DTYPE_NONE);

/// Factors of a tensor in e4m3, one for each (batch element, head); a file may give them for the
/// heads alone, or one for all. Empty: the file has none. Throws Error(kValue) for another shape or
/// type, and for what is no factor.
std::vector<float> captured_scales(const TensorSource& file, const std::string& name,
                                   std::int64_t batch, std::int64_t heads);

/// q, k and v of a case that names a file: captured ones, and those of the recorded vectors. For
/// e4m3 with the factors q_scale, k_scale and v_scale of the group, 1 where it has none.
AttentionTensors captured_tensors(const Case& c);

/// Full name of a tensor in a group.
std::string captured_name(const std::string& group, const char* tensor);

}  // namespace lvsa::analysis
