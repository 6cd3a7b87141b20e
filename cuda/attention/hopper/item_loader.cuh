#pragma once
// What the warps that load have in common: work items handed out, and their queries.

#include <cuda.h>

#include <cstdint>

#include "cuda/attention/hopper/work_item.cuh"
#include "cuda/ptx/mbarrier.cuh"
#include "cuda/ptx/tma.cuh"

namespace lvsa::cuda::hopper {

/// Shared is the block's layout: query(), kQueryBytes, kQueryHalf, query_full(), query_empty(),
/// header(). A query row is kParts times 128 bytes of kPartColumns columns, kQueryHalf bytes from
/// one part to the next. All 32 lanes of a warp together.
template <typename Parameters, typename Shared, int kParts, int kPartColumns>
class ItemLoader {
 public:
  __device__ __forceinline__ ItemLoader(const Parameters& p, const Shared& shared, int lane)
      : p_(p), shared_(shared), lane_(lane) {}

  /// Calls produce(index) for each item that is this block's, and tells consumers when there are no
  /// more. It must load the item's query once.
  template <typename Produce>
  __device__ __forceinline__ void run(const Produce& produce) {
    std::int64_t index = blockIdx.x;
    const std::int64_t count = item_count(p_);
    while (index < count) {
      const std::int64_t next = take_next();
      if (item_is_due(p_, index)) produce(index);
      index = next;
    }
    wait_for_room();
    if (lane_ == 0) {
      shared_.header().item = -1;
      ptx::mbarrier_arrive(shared_.query_full());
    }
  }

  __device__ __forceinline__ void load_query(const WorkItem& item, std::int64_t index, int tiles) {
    wait_for_room();
    if (lane_ == 0) {
      shared_.header().item = static_cast<int>(index);
      shared_.header().tiles = tiles;
      const int loads = max(item.merged, 1);
      constexpr std::uint32_t kRows = Shared::kQueryBytes / (kParts * 128);
      const std::uint32_t rows = item.merged > 0 ? p_.items.merged_rows : kRows;
      const std::uint32_t barrier = shared_.query_full();
      ptx::mbarrier_arrive_expect(barrier, loads * rows * (kParts * 128));
      const CUtensorMap& map = map_of(item);
      for (int i = 0; i < loads; ++i) {
#pragma unroll
        for (int part = 0; part < kParts; ++part) {
          ptx::tma_load_5d(shared_.query() + part * Shared::kQueryHalf + i * rows * 128, &map,
                           barrier, part * kPartColumns, item.row, item.frame + i, item.head,
                           item.batch);
        }
      }
    }
    __syncwarp();
    ++loaded_;
  }

 private:
  /// Asked for an item ahead, so that the answer is there when it is needed.
  __device__ __forceinline__ std::int64_t take_next() {
    int ticket = 0;
    if (lane_ == 0) ticket = atomicAdd(p_.next_item, 1);
    return std::int64_t{gridDim.x} + __shfl_sync(0xffffffffu, ticket, 0);
  }

  /// Until consumers are done with the queries before.
  __device__ __forceinline__ void wait_for_room() const {
    ptx::mbarrier_wait(shared_.query_empty(), loaded_ & 1 ^ 1);
  }

  __device__ __forceinline__ const CUtensorMap& map_of(const WorkItem& item) const {
    if (item.is_text) return p_.text_query;
    if constexpr (requires { p_.query_merged; }) {
      if (item.merged > 0) return p_.query_merged;
    }
    return p_.query;
  }

  const Parameters& p_;
  Shared shared_;
  int lane_;
  std::uint32_t loaded_ = 0;  ///< queries
};

}  // namespace lvsa::cuda::hopper
