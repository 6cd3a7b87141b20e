#pragma once
// SpargeAttn's block map, restated step by step and pair by pair. Source: SpargeAttn (2025), block
// map of the published code; sums and points of rounding as docs/patterns/sparge.md fixes them.

#include <cstdint>
#include <optional>
#include <vector>

#include "core/tensor/tensor.hpp"

namespace lvsa::reference {

struct SpargeRequest {
  DType dtype = LVSA_BF16;             ///< of the elements
  std::vector<std::vector<double>> q;  ///< [N][D], numbers of the type
  std::vector<std::vector<double>> k;  ///< [N][D]
  std::int64_t block_q = 128;
  std::int64_t block_k = 64;
  std::optional<double> topk;  ///< exactly one of the two rules
  std::optional<double> cdfthreshd;
  double simthreshd1 = -0.1;
  bool causal = false;
  bool attention_sink = false;
  bool smooth_k = true;
  bool partial_kept = true;  ///< a partial last block counts as not self-similar
  bool round_p = false;      ///< scores and probabilities in the input type
};

/// [nq][nk]: whether the block is kept. Throws lvsa::Error ValueError unless exactly one rule is
/// given.
std::vector<std::vector<bool>> sparge_map(const SpargeRequest& request);

}  // namespace lvsa::reference
