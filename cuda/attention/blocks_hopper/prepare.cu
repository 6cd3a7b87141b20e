// What runs before the kernel: long items found, keys and values put in order.

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>

#include "cuda/attention/blocks_hopper/kernels.hpp"
#include "cuda/attention/blocks_hopper/long_items.cuh"

namespace lvsa::cuda::blocks {
namespace {

constexpr int kThreads = 256;

__global__ void long_items(const __grid_constant__ Parameters p, bool paired, int* count,
                           int* items) {
  const int id = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  if (id >= p.batch_heads * p.head_items) return;
  const int batch_head = id / p.head_items;
  if (item_is_long(p, paired, batch_head, id - batch_head * p.head_items)) {
    items[atomicAdd(count, 1)] = id;
  }
}

__global__ void gather(const GatherRows g) {
  const int chunks = g.head_dim / 8;
  const std::int64_t row = std::int64_t{blockIdx.x} * (kThreads / 8) + threadIdx.x / 8;
  if (row >= std::int64_t{g.batch} * g.heads * g.places) return;
  const std::int64_t batch_head = row / g.places;
  const std::int64_t batch = batch_head / g.heads;
  const std::int64_t head = batch_head - batch * g.heads;
  std::int64_t token = row - batch_head * g.places;
  const std::int32_t order = g.order_of_head[batch_head];
  if (order >= 0) token = g.orders[std::int64_t{order} * g.places + token];
  const auto* const from = reinterpret_cast<const uint4*>(
      static_cast<const std::uint16_t*>(g.from) + batch * g.strides.batch +
      token * g.strides.token + head / g.heads_per_group * g.strides.head);
  auto* const to = reinterpret_cast<uint4*>(static_cast<std::uint16_t*>(g.to) + row * g.head_dim);
  for (int i = static_cast<int>(threadIdx.x) % 8; i < chunks; i += 8) to[i] = from[i];
}

}  // namespace

cudaError_t find_long_items(const Parameters& p, bool paired, int* count, int* items,
                            cudaStream_t stream) {
  const int all = p.batch_heads * p.head_items;
  long_items<<<(all + kThreads - 1) / kThreads, kThreads, 0, stream>>>(p, paired, count, items);
  return cudaGetLastError();
}

cudaError_t gather_rows(const GatherRows& g, cudaStream_t stream) {
  const std::int64_t rows = std::int64_t{g.batch} * g.heads * g.places;
  const std::int64_t blocks = (rows + kThreads / 8 - 1) / (kThreads / 8);
  if (blocks > 0x7fffffff) return cudaErrorInvalidConfiguration;
  gather<<<static_cast<unsigned>(blocks), kThreads, 0, stream>>>(g);
  return cudaGetLastError();
}

}  // namespace lvsa::cuda::blocks
