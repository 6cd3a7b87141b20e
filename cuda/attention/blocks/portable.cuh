#pragma once
// Block-sparse attention of one query block, on mma.sync and cp.async: the portable attention
// kernel (cuda/attention/portable/attention.cuh) over the key blocks of a map.
//
// A thread block serves one query block, each warp 32 of its rows. A key block is walked in tiles
// of 64 keys, which are the 64 bits of one word of an element mask. Rows of heads with an order
// are gathered and scattered one by one. Scores that a mask or a block's end leaves out become
// -inf whatever they were, but their zero is still multiplied with v: row blocks in which that
// leaves something that is not finite are marked, and computed again by the kernel of marked.cu.

#include <cmath>
#include <cstdint>

#include "cuda/attention/blocks/row_block.cuh"
#include "cuda/attention/portable/attention.cuh"

namespace lvsa::cuda::portable_blocks {

using portable::kThreads;
using portable::Rows;
using portable::Scores;
using portable::Shape;

/// A part of a key block.
struct Tile {
  KeyBlock block;
  int entry;
  int offset;  // of its first key in the block, a multiple of 64

  __device__ int keys() const { return min(64, block.keys - offset); }
  __device__ bool is_last_of_block() const { return offset + 64 >= block.keys; }
};

/// Scales the scores; those of pairs that do not count become -inf.
template <int kDim>
__device__ void scale_scores(Scores<kDim>& scores, const Parameters& p, const RowBlock& rows,
                             const Tile& tile, int warp_row) {
  if (tile.block.mask == kNoMask && tile.keys() == 64) {
    portable::scale_scores<kDim, false>(scores, 64, p.scale_log2);
    return;
  }
  const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
  for (int m = 0; m < Shape<kDim>::kFragments; ++m) {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const int row = warp_row + m * 16 + r * 8 + lane / 4;
      // Rows past the block's end are computed and thrown away.
      const std::uint64_t attended =
          row < rows.rows ? attended_keys(p.maps, tile.block, row, tile.offset / 64) : 0;
      const std::uint32_t halves[2] = {
          static_cast<std::uint32_t>(attended) >> (lane % 4 * 2),
          static_cast<std::uint32_t>(attended >> 32) >> (lane % 4 * 2)};
#pragma unroll
      for (int j = 0; j < 8; ++j) {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          const bool counts = (halves[j / 4] >> (j % 4 * 8 + i) & 1u) != 0;
          float& score = scores[m][j][2 * r + i];
          score = counts ? score * p.scale_log2 : -INFINITY;
        }
      }
    }
  }
}

/// The work of one thread block; what its threads share lies in shared memory.
template <typename Element, int kDim>
class QueryBlock {
  using S = Shape<kDim>;
  static_assert(S::kKeys == 64 && S::kQueries == kMostBlock);

 public:
  __device__ QueryBlock(const Parameters& p, const RowBlock& rows, unsigned char* memory)
      : p_(p),
        rows_(rows),
        q_tile_(reinterpret_cast<Element*>(memory)),
        k_tile_(q_tile_ + S::kQueryElements),
        v_tile_(k_tile_ + S::kKeyElements),
        warp_row_(static_cast<int>(threadIdx.x) / 32 * 16 * S::kFragments),
        idle_(warp_row_ >= rows.rows) {}

  /// Sums over all entries; whether one of them has a mask.
  __device__ bool attend(Rows<kDim>& sums) {
    if (rows_.entries == 0) return false;
    copy_queries();
    return attend_all(sums);
  }

  /// The same with the online skip.
  __device__ bool attend_skipping(Rows<kDim>& sums) {
    bool masked = false;
    copy_queries();
    float seen[S::kFragments][2];
#pragma unroll
    for (int i = 0; i < S::kFragments * 2; ++i) seen[i / 2][i % 2] = -INFINITY;
    for (int entry = 0; entry < rows_.entries; ++entry) {
      const KeyBlock block(p_.maps, rows_, entry);
      Scores<kDim> scores;
      // The last one counts whatever it gains; a decision needs the scores of all of the block.
      bool counts = entry + 1 == rows_.entries;
      if (!counts) counts = gains(block, entry, scores, seen);
      if (!__syncthreads_or(static_cast<int>(counts))) continue;
      masked = masked || block.mask != kNoMask;
      const bool have_scores = entry + 1 < rows_.entries && block.keys <= 64;
      for (Tile tile{block, entry, 0}; tile.offset < block.keys; tile.offset += 64) {
        if (!have_scores) load_scores(tile, scores);
        load_values(tile);
        if (idle_) continue;
        portable::softmax_step<kDim>(sums, scores);
        portable::multiply_values<Element, kDim>(sums, scores, v_tile_, p_.head_dim);
      }
    }
    return masked;
  }

 private:
  // Starts to copy the rows at `rows` places of a head; the rest of the tile becomes zero.
  template <int kRows>
  __device__ void copy(Element* tile, const void* tensor, const portable::Strides& strides,
                       int head, int place, int rows) const {
    constexpr int kChunks = kDim / 8;  // of 16 bytes, a row
    constexpr int kStep = kThreads / kChunks;
    static_assert(kThreads % kChunks == 0 && kRows % kStep == 0);
    const int column = static_cast<int>(threadIdx.x) % kChunks * 8;
    const int first = static_cast<int>(threadIdx.x) / kChunks;
    const int last = column < p_.head_dim ? rows : 0;
    const auto* const source =
        static_cast<const Element*>(tensor) + rows_.batch * strides.batch + head * strides.head;
    Element* to = tile + first * S::kRow + column;
#pragma unroll 4
    for (int row = first; row < kRows; row += kStep) {
      const bool inside = row < last;
      const Element* from = source;
      if (inside) from += rows_.token(place + row) * strides.token + column;
      portable::copy_16_async(to, from, inside);
      to += kStep * S::kRow;
    }
  }
  __device__ void copy_queries() const {
    copy<S::kQueries>(q_tile_, p_.q, p_.q_strides, rows_.head, rows_.place, rows_.rows);
  }
  __device__ void copy_keys(const Tile& tile) const {
    copy<S::kKeys>(k_tile_, p_.k, p_.k_strides, rows_.kv_head, tile.block.place + tile.offset,
                   tile.keys());
    portable::commit_copies();
  }
  __device__ void copy_values(const Tile& tile) const {
    copy<S::kKeys>(v_tile_, p_.v, p_.v_strides, rows_.kv_head, tile.block.place + tile.offset,
                   tile.keys());
    portable::commit_copies();
  }

  __device__ void make_scores(const Tile& tile, Scores<kDim>& scores) const {
    if (idle_) return;
#pragma unroll
    for (int i = 0; i < S::kFragments * S::kKeys / 2; ++i) {
      scores[i / (S::kKeys / 2)][i / 4 % (S::kKeys / 8)][i % 4] = 0.0F;
    }
    portable::multiply_keys<Element, kDim>(scores, q_tile_ + warp_row_ * S::kRow, k_tile_,
                                           p_.head_dim);
    scale_scores<kDim>(scores, p_, rows_, tile, warp_row_);
  }

  // Copies and waits: for the online skip, where a decision stands between keys and values.
  __device__ void load_scores(const Tile& tile, Scores<kDim>& scores) const {
    __syncthreads();  // nobody reads the last keys any more
    copy_keys(tile);
    portable::wait_copies<0>();
    __syncthreads();
    make_scores(tile, scores);
  }
  __device__ void load_values(const Tile& tile) const {
    __syncthreads();
    copy_values(tile);
    portable::wait_copies<0>();
    __syncthreads();
  }

  __device__ bool attend_all(Rows<kDim>& sums) const {
    Tile tile{KeyBlock(p_.maps, rows_, 0), 0, 0};
    bool masked = false;
    bool more = true;
    copy_keys(tile);
    while (more) {
      masked = masked || tile.block.mask != kNoMask;
      portable::wait_copies<0>();
      __syncthreads();  // the keys are there, and nobody reads the last values any more
      copy_values(tile);
      Scores<kDim> scores;
      make_scores(tile, scores);
      if (!idle_) portable::softmax_step<kDim>(sums, scores);
      portable::wait_copies<0>();
      __syncthreads();  // the values are there, and nobody reads the keys any more
      if (!tile.is_last_of_block()) {
        tile.offset += 64;
      } else {
        more = tile.entry + 1 < rows_.entries;
        if (more) tile = {KeyBlock(p_.maps, rows_, tile.entry + 1), tile.entry + 1, 0};
      }
      if (more) copy_keys(tile);
      if (!idle_) {
        portable::multiply_values<Element, kDim>(sums, scores, v_tile_, p_.head_dim);
      }
    }
    return masked;
  }

  // Whether a row of this thread gains enough for the block to count; takes the block's maxima into
  // `seen`. Leaves the scores of the block's last tile.
  __device__ bool gains(const KeyBlock& block, int entry, Scores<kDim>& scores,
                        float (&seen)[S::kFragments][2]) const {
    float top[S::kFragments][2];
#pragma unroll
    for (int i = 0; i < S::kFragments * 2; ++i) top[i / 2][i % 2] = -INFINITY;
    for (Tile tile{block, entry, 0}; tile.offset < block.keys; tile.offset += 64) {
      load_scores(tile, scores);
      if (idle_) continue;
#pragma unroll
      for (int m = 0; m < S::kFragments; ++m) {
#pragma unroll
        for (int i = 0; i < S::kKeys / 2; ++i) {
          top[m][i % 4 / 2] = fmaxf(top[m][i % 4 / 2], scores[m][i / 4][i % 4]);
        }
      }
    }
    bool any = false;
    if (idle_) return any;
#pragma unroll
    for (int m = 0; m < S::kFragments; ++m) {
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        const int row = warp_row_ + m * 16 + r * 8 + static_cast<int>(threadIdx.x) % 32 / 4;
        const float most = portable::quad_max(top[m][r]);
        // A row that attends none of the block gains nothing.
        any = any ||
              (row < rows_.rows && most > -INFINITY && most - seen[m][r] + rows_.threshold > 0.0F);
        seen[m][r] = fmaxf(seen[m][r], most);
      }
    }
    return any;
  }

  const Parameters& p_;
  const RowBlock& rows_;
  Element* const q_tile_;
  Element* const k_tile_;
  Element* const v_tile_;
  const int warp_row_;
  const bool idle_;  // no row of the warp is one of the block
};

/// One row of the output: `values` are this thread's elements, `half` says which row they are of.
/// Returns whether all of them are finite.
template <typename Element, int kDim>
__device__ bool write_row(const Parameters& p, const RowBlock& rows, int row,
                          const float (&values)[kDim / 8][4], int half, float most, float sum) {
  if (row >= rows.rows) return true;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const std::int64_t token = rows.token(rows.place + row);
  const float factor = 1.0F / sum;
  const std::int64_t at = rows.batch * p.out_strides.batch + token * p.out_strides.token +
                          rows.head * p.out_strides.head + lane % 4 * 2;
  bool finite = true;
#pragma unroll
  for (int d = 0; d < kDim; d += 8) {
    if (d >= p.head_dim) break;
    // No keys: 0, whatever stood at masked ones.
    const float low = sum == 0.0F ? 0.0F : values[d / 8][2 * half] * factor;
    const float high = sum == 0.0F ? 0.0F : values[d / 8][2 * half + 1] * factor;
    finite = finite && isfinite(low) && isfinite(high);
    if (p.out_is_f32) {
      *reinterpret_cast<float2*>(static_cast<float*>(p.out) + at + d) = {low, high};
    } else {
      *reinterpret_cast<std::uint32_t*>(static_cast<Element*>(p.out) + at + d) =
          portable::pack<Element>(low, high);
    }
  }
  if (p.lse != nullptr && lane % 4 == 0) {
    constexpr float kLn2 = 0.693147180559945309F;
    p.lse[rows.batch * p.lse_strides.batch + token * p.lse_strides.token +
          rows.head * p.lse_strides.head] = sum == 0.0F ? -INFINITY : fmaf(most, kLn2, logf(sum));
  }
  return finite;
}

template <typename Element, int kDim, bool kSkip>
__global__ void __launch_bounds__(kThreads)
    attend_kernel(const __grid_constant__ Parameters p, std::int32_t* marks) {
  using S = Shape<kDim>;
  extern __shared__ __align__(16) unsigned char memory[];
  __shared__ RowBlock block;  // registers are scarce
  if (threadIdx.x == 0) block = find_row_block(p, blockIdx.x);
  __syncthreads();
  QueryBlock<Element, kDim> work(p, block, memory);
  Rows<kDim> sums;
  const bool masked =
      kSkip && isfinite(block.threshold) ? work.attend_skipping(sums) : work.attend(sums);
  const int row = static_cast<int>(threadIdx.x) / 32 * 16 * S::kFragments +
                  static_cast<int>(threadIdx.x) % 32 / 4;
  bool finite = true;
#pragma unroll
  for (int m = 0; m < S::kFragments; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float sum = portable::quad_sum(sums.sum[m][half]);
      finite = write_row<Element, kDim>(p, block, row + m * 16 + half * 8, sums.out[m], half,
                                        sums.most[m][half], sum) &&
               finite;
    }
  }
  // All threads know the same of `masked`.
  if (masked && __syncthreads_or(static_cast<int>(!finite)) && threadIdx.x == 0) {
    marks[blockIdx.x] = blocks::kSpoiltRows;
  }
}

template <typename Element, int kDim, bool kSkip>
cudaError_t launch_instance(const Parameters& p, std::int32_t* marks, cudaStream_t stream) {
  constexpr int kBytes = Shape<kDim>::kBytes;
  const auto kernel = attend_kernel<Element, kDim, kSkip>;
  const cudaError_t status =
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
  if (status != cudaSuccess) return status;
  kernel<<<static_cast<unsigned>(row_block_count(p)), kThreads, kBytes, stream>>>(p, marks);
  return cudaGetLastError();
}

template <typename Element>
cudaError_t launch(const Parameters& p, std::int32_t* marks, cudaStream_t stream) {
  const bool skip = p.maps.skip_log2 != nullptr;
  if (p.head_dim <= 64) {
    return skip ? launch_instance<Element, 64, true>(p, marks, stream)
                : launch_instance<Element, 64, false>(p, marks, stream);
  }
  return skip ? launch_instance<Element, 128, true>(p, marks, stream)
              : launch_instance<Element, 128, false>(p, marks, stream);
}

}  // namespace lvsa::cuda::portable_blocks
