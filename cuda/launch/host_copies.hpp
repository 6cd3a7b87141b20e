#pragma once
// Tensors of a problem in host memory and their copies on the device, for the kernels' -host forms.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/kernel/lvsa_kernel.h"
#include "cuda/launch/device_mirror.hpp"
#include "cuda/launch/problem_check.hpp"

namespace lvsa::cuda {

/// A tensor in bytes.
struct Span {
  std::size_t reach;  ///< from its first element past its last one
  std::size_t gaps;   ///< of these, between elements; elements may share places, too
};

/// Throws Error(kKernel) for a null tensor and as extent() does.
Span span_of(const lvsa_tensor& tensor, const std::int64_t (&sizes)[4], lvsa_dtype dtype);

struct HostSpans {
  Span q;
  Span k;
  Span v;
  Span out;
  std::size_t lse;  ///< 0: not wanted
};

/// Problem: lvsa_problem or lvsa_block_problem. Throws as span_of().
template <class Problem>
HostSpans host_spans(const Problem& p, std::int64_t query_tokens, std::int64_t key_tokens) {
  const std::int64_t of_queries[4] = {p.batch, query_tokens, p.heads, p.head_dim};
  const std::int64_t of_keys[4] = {p.batch, key_tokens, p.kv_heads, p.head_dim};
  return {span_of(p.q, of_queries, p.dtype), span_of(p.k, of_keys, p.dtype),
          span_of(p.v, of_keys, p.dtype), span_of(p.out, of_queries, p.out_dtype),
          p.lse == nullptr ? 0 : extent(of_queries, p.lse_strides, 3) * sizeof(float)};
}

/// Gaps are copied, too: what is far apart would take the device's memory and seconds for nothing.
Verdict check_gaps(const HostSpans& spans);

/// Copies of a problem's tensors, of those that the spans say.
class HostCopies {
 public:
  template <class Problem>
  HostCopies(const Problem& p, const HostSpans& spans)
      : q_(p.q.data, spans.q.reach),
        k_(p.k.data, spans.k.reach),
        v_(p.v.data, spans.v.reach),
        out_(p.out.data, spans.out.reach),
        lse_(p.lse, spans.lse) {}

  /// The same problem with the copies for its tensors.
  template <class Problem>
  Problem problem(const Problem& p) const {
    Problem there = p;
    there.memory = LVSA_CUDA;
    there.q.data = q_.data();
    there.k.data = k_.data();
    there.v.data = v_.data();
    there.out.data = out_.data();
    if (p.lse != nullptr) there.lse = reinterpret_cast<float*>(lse_.data());
    return there;
  }

  /// Runs the kernel on a problem() with a workspace of so many bytes, waits, and copies back what
  /// it gave. Throws Error(kKernel) where CUDA fails.
  template <class Kernel, class Problem>
  lvsa_status run(const Kernel& kernel, const Problem& there, std::size_t workspace_bytes,
                  char* message, std::size_t message_size) const {
    const DeviceBytes workspace(std::max<std::size_t>(workspace_bytes, 16));
    const lvsa_status status =
        kernel.run(&there, workspace.get(), workspace_bytes, nullptr, message, message_size);
    // Also after a refusal: nothing may be left running on memory that is freed now.
    synchronise(kernel.name);
    if (status != LVSA_OK) return status;
    out_.copy_back();
    lse_.copy_back();
    return LVSA_OK;
  }

 private:
  static void synchronise(const char* what);

  Mirror q_;
  Mirror k_;
  Mirror v_;
  Mirror out_;
  Mirror lse_;
};

}  // namespace lvsa::cuda
