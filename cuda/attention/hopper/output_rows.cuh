#pragma once
// Where the rows of a work item lie in the output, and how a warp writes its 16 of them.

#include <cstdint>

#include "cuda/attention/hopper/parameters.hpp"
#include "cuda/attention/hopper/softmax.cuh"
#include "cuda/attention/hopper/work_item.cuh"
#include "cuda/ptx/warpgroup.cuh"

namespace lvsa::cuda::hopper {

/// Token of a row of the item's query tile; false: there is no such row.
__device__ __forceinline__ bool row_token(const WorkParameters& p, const WorkItem& item, int row,
                                          std::int64_t* token) {
  int frame = item.frame;
  int in_frame = item.row + row;
  if (item.merged > 0) {
    const int part = row / p.items.merged_rows;
    if (part >= item.merged) return false;
    frame += part;
    in_frame = item.row + row - part * p.items.merged_rows;
  }
  if (in_frame >= (item.is_text ? p.text : p.patches)) return false;
  *token = std::int64_t{item.is_text ? p.frames : frame} * p.patches + in_frame;
  return true;
}

/// Writes the warp's 16 rows, `first_row` of the query tile and the next, times `factor` (of the
/// thread's two rows), to `out` of their batch element and head: row_token(row, &token) says to
/// which token, or false where there is no such row. They go through `shared`, 16 rows of 128 bytes
/// for each 64 columns and `half_bytes` from one 64 to the next, so that whole rows are written, 16
/// bytes a lane.
template <typename Element, int kHeadDim, typename RowToken>
__device__ __forceinline__ void write_rows(Element* out, std::int64_t token_stride,
                                           const RowToken& row_token, int first_row,
                                           std::uint32_t shared, std::uint32_t half_bytes,
                                           const float (&o)[kHeadDim / 2], const float (&factor)[2],
                                           int lane) {
  const int matrix_row = lane % 16;
#pragma unroll
  for (int j = 0; j < kHeadDim / 16; ++j) {
    const std::uint32_t chunk = (2 * j + lane / 16) % 8 ^ lane % 8;
    const std::uint32_t address = shared + j / 4 * half_bytes + matrix_row * 128 + chunk * 16;
    const float* x = o + 8 * j;
    ptx::store_matrix_x4(address, pack(Element{}, x[0] * factor[0], x[1] * factor[0]),
                         pack(Element{}, x[2] * factor[1], x[3] * factor[1]),
                         pack(Element{}, x[4] * factor[0], x[5] * factor[0]),
                         pack(Element{}, x[6] * factor[1], x[7] * factor[1]));
  }
  __syncwarp();
  constexpr int kRowLanes = kHeadDim / 8;
  constexpr int kRowsAtOnce = 32 / kRowLanes;
  const int column = lane % kRowLanes;
#pragma unroll
  for (int first = 0; first < 16; first += kRowsAtOnce) {
    const int row = first + lane / kRowLanes;
    std::int64_t token = 0;
    if (!row_token(first_row + row, &token)) continue;
    const std::uint32_t address =
        shared + column / 8 * half_bytes + row * 128 + (column % 8 ^ row % 8) * 16;
    uint4 words;
    asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words.x), "=r"(words.y), "=r"(words.z), "=r"(words.w)
                 : "r"(address)
                 : "memory");
    *reinterpret_cast<uint4*>(out + token * token_stride + column * 8) = words;
  }
}

/// The same for the rows of a work item.
template <typename Element, int kHeadDim>
__device__ __forceinline__ void write_rows(const WorkParameters& p, const WorkItem& item,
                                           int first_row, std::uint32_t shared,
                                           std::uint32_t half_bytes, const float (&o)[kHeadDim / 2],
                                           const float (&factor)[2], int lane) {
  auto* const out = static_cast<Element*>(p.out) + item.batch * p.out_strides.batch +
                    item.head * p.out_strides.head;
  const auto token_of_row = [&p, &item](int row, std::int64_t* token) {
    return row_token(p, item, row, token);
  };
  write_rows<Element, kHeadDim>(out, p.out_strides.token, token_of_row, first_row, shared,
                                half_bytes, o, factor, lane);
}

}  // namespace lvsa::cuda::hopper
