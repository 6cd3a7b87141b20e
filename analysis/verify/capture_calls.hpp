#pragma once
// The attention calls in a file of captured tensors: which groups hold one, what their names and
// attributes say, and the geometry that follows.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/verify/capture.hpp"
#include "analysis/verify/captured_call.hpp"
#include "core/io/tensor_file.hpp"

namespace lvsa::analysis {

/// --layout as Axes; nothing when it is empty. Throws Error(kValue) for what is no order.
std::optional<Axes> asked_layout(const std::string& layout);

/// The groups that hold q, k and v (or qkv), in the order of their names, the root as "". Throws
/// Error(kIo) when there is none.
std::vector<std::string> captured_groups(const TensorSource& file);

/// "file: group" for messages, printable.
std::string captured_place(const TensorSource& file, const std::string& group);

/// The number behind the last `word` in a group's name: "layer3/step_10" is step 10.
std::optional<std::int64_t> number_in_name(const std::string& group, std::string_view word);

/// Where q, k and v of a call lie, and the frame grid of its tokens.
struct CapturedShape {
  FrameGrid grid;
  std::vector<CapturedTensor> inputs;  ///< q, k, v
};
/// From the options, else from attributes. Throws Error that names the group and what is missing or
/// does not fit.
CapturedShape captured_shape(const TensorSource& file, const std::string& group,
                             const CaptureOptions& options, const std::optional<Axes>& asked);

}  // namespace lvsa::analysis
