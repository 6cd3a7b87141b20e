#pragma once
// The compiled instances of the block-sparse Hopper kernel, and what runs before it.

#include <cuda_runtime_api.h>

#include <cstdint>

#include "cuda/attention/blocks_hopper/parameters.hpp"

namespace lvsa::cuda::blocks {

/// `paired`: blocks of 64 rows; `skip`: with the online skip.
const void* attention_bf16_d64(bool paired, bool skip);
const void* attention_bf16_d128(bool paired, bool skip);
const void* attention_f16_d64(bool paired, bool skip);
const void* attention_f16_d128(bool paired, bool skip);

/// Writes the items that begin first and their number, which was zero. The order of these is left
/// to chance, results do not depend on it.
cudaError_t find_long_items(const Parameters& p, bool paired, int* count, int* items,
                            cudaStream_t stream);

/// Rows of k or v, 16-bit elements, in the order of each head: to[b][h][place] = from[b][order of
/// (b, h)[place]][h / heads_per_group], or of place itself where the head has no order.
struct GatherRows {
  const void* from;
  hopper::RowStrides strides;  ///< elements
  void* to;                    ///< [batch][heads][places][head_dim], dense
  int batch;
  int heads;
  int heads_per_group;
  int places;
  int head_dim;  ///< a multiple of 8
  const std::int32_t* orders;
  const std::int32_t* order_of_head;
};
cudaError_t gather_rows(const GatherRows& g, cudaStream_t stream);

}  // namespace lvsa::cuda::blocks
