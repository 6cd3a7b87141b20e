#pragma once
// One call of a kernel through the C interface: problem, outputs, workspace.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/verify/case.hpp"
#include "analysis/verify/guarded_tensor.hpp"
#include "analysis/verify/inputs.hpp"
#include "core/kernel/lvsa_kernel.h"
#include "core/pattern/frame_pattern.hpp"

namespace lvsa::analysis {

/// Why a kernel's declared capabilities exclude a case, or nothing when they do not.
std::optional<std::string> unsupported_reason(const lvsa_kernel& kernel, const Case& c);

/// Elements of the wanted tokens' rows (none: of all rows) that still hold bits all ones.
std::int64_t unwritten_elements(const GuardedTensor& tensor, std::span<const std::int64_t> wanted);

/// Owns what the problem of a case points to. Outputs are pre-filled with bits that no right result
/// has (all ones: a NaN of every type), so that what a kernel did not write shows.
class KernelCall {
 public:
  /// The tensors and the pattern must outlive the call. `threads` 0 leaves it to the kernel.
  /// `wanted` query tokens in any order; empty: all.
  KernelCall(const lvsa_kernel& kernel, const Case& c, AttentionTensors& tensors,
             const FramePattern& pattern, std::int32_t threads, std::vector<std::int64_t> wanted);

  /// Runs the kernel. Throws KernelFailed with the kernel's own message when it fails, and what
  /// invoke_kernel() throws.
  void run();
  /// What that took.
  double seconds() const { return seconds_; }

  const lvsa_problem& problem() const { return problem_; }
  const GuardedTensor& out() const { return out_; }
  bool has_lse() const { return lse_.has_value(); }
  /// Log-sum-exp [B, S, H].
  float lse(std::int64_t b, std::int64_t s, std::int64_t h) const;
  /// What the kernel declares of its numerics for this problem; nothing when it declares none.
  std::optional<lvsa_numerics> numerics() const;
  /// Elements that still hold the pre-filled bits, among the wanted tokens.
  std::int64_t unwritten_outputs() const;
  std::int64_t unwritten_lse() const;
  /// Bytes changed in the red zones around the output, the log-sum-exp and the workspace.
  std::int64_t changed_outside() const { return changed_outside_; }

 private:
  std::int64_t unwritten(const GuardedTensor& tensor) const;

  const lvsa_kernel& kernel_;
  GuardedTensor out_;
  std::optional<GuardedTensor> lse_;  ///< [B, S, H, 1], fp32
  std::vector<std::int32_t> csr_indptr_;
  std::vector<std::int64_t> wanted_;
  std::int64_t changed_outside_ = 0;
  double seconds_ = 0.0;
  lvsa_problem problem_{};
};

}  // namespace lvsa::analysis
