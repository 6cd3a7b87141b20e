#pragma once
// The exchange of Ulysses: tokens for heads and back. Source: published sequence parallelism of
// vLLM-Omni. P ranks, s tokens a rank before, h = H / P heads a rank after:
//   forward  out_i[q*s + t, j] = in_q[t, i*h + j]
//   reverse  out_i[t, q*h + j] = in_q[i*s + t, j]
// Nothing is computed, so reverse after forward is the identity bit for bit.

#include <vector>

#include "reference/parallel/head_tensor.hpp"

namespace lvsa::reference {

/// How a rank's rows are laid out in the whole. Only the first is right; the others are known
/// defects.
enum class ExchangeOrder {
  kPublished,
  kTokensInterleaved,  ///< out_i[t*P + q, j] forward, and read so in reverse
  kHeadsInterleaved,   ///< out_i[t, j*P + q] in reverse only
};

/// in[q]: [s, H, D] of rank q. Returns [P * s, H / P, D] for each rank. Throws Error(kValue) unless
/// all shapes are the same and P divides H.
std::vector<HeadTensor> heads_for_tokens(const std::vector<HeadTensor>& in,
                                         ExchangeOrder order = ExchangeOrder::kPublished);

/// in[q]: [P * s, h, D]. Returns [s, P * h, D] for each rank. Throws Error(kValue) unless all
/// shapes are the same and P divides the tokens.
std::vector<HeadTensor> tokens_for_heads(const std::vector<HeadTensor>& in,
                                         ExchangeOrder order = ExchangeOrder::kPublished);

}  // namespace lvsa::reference
