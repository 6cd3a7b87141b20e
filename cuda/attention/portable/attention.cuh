#pragma once
// Attention of one query tile over a list of key frames, on mma.sync and cp.async.
//
// A block serves 64 query rows of one frame (or of the text) and one head. It walks the key tiles:
// those of each attended frame, then those of the text; the next tile is copied to shared memory
// while this one is worked on. Every warp owns 16 query rows from the scores to the output, so
// nothing but the copies needs the block's other warps. The softmax is the usual running one: a row
// maximum, a row sum of the unrounded exponentials, and outputs rescaled when the maximum grows.
//
// Tiles start and end with their frame, so no key of another frame is ever read; keys past the
// frame's end are zero in shared memory and -inf as scores. Head sizes below the padded kDim are
// zero-filled the same way, and steps over them skipped.

#include <cmath>
#include <cstdint>

#include "cuda/attention/portable/mma.cuh"
#include "cuda/attention/portable/parameters.hpp"

namespace lvsa::cuda::portable {

inline constexpr int kThreads = 128;

template <int kDim>
struct Shape {
  static constexpr int kKeys = key_tile(kDim);
  // 16 bytes more than a row: the eight rows of a matrix then lie in different banks.
  static constexpr int kRow = kDim + 8;
  static constexpr int kQueryElements = kQueryTile * kRow;
  static constexpr int kKeyElements = kKeys * kRow;
  static constexpr int kBytes = 2 * (kQueryElements + 4 * kKeyElements);  // K and V, two stages
};

/// Query rows of a block, and the frames that they attend.
struct Item {
  int batch;
  int head;
  std::int64_t token;         // first query row
  int rows;                   // 1 .. kQueryTile
  const std::int32_t* list;   // null: all frames
  int frames;                 // entries of the list
};

__device__ inline int div_up(int a, int b) { return (a + b - 1) / b; }

__device__ inline Item find_item(const Parameters& p, std::int64_t block) {
  const int frame_tiles = div_up(p.patches, kQueryTile);
  const std::int64_t video_tiles = static_cast<std::int64_t>(p.frames) * frame_tiles;
  const std::int64_t head_tiles = video_tiles + div_up(p.text, kQueryTile);
  const std::int64_t sequence = block / head_tiles;
  const std::int64_t tile = block % head_tiles;
  Item item;
  item.head = static_cast<int>(sequence % p.heads);
  item.batch = static_cast<int>(sequence / p.heads);
  if (tile >= video_tiles) {
    const int first = static_cast<int>(tile - video_tiles) * kQueryTile;
    item.token = static_cast<std::int64_t>(p.frames) * p.patches + first;
    item.rows = min(kQueryTile, p.text - first);
    item.list = nullptr;
    item.frames = p.frames;
    return item;
  }
  const int frame = static_cast<int>(tile / frame_tiles);
  const int first = static_cast<int>(tile % frame_tiles) * kQueryTile;
  item.token = static_cast<std::int64_t>(frame) * p.patches + first;
  item.rows = min(kQueryTile, p.patches - first);
  const std::int64_t begin = p.offsets[frame];
  item.list = p.list + begin;
  item.frames = static_cast<int>(p.offsets[frame + 1] - begin);
  return item;
}

/// The key tiles of an item in their order.
template <int kKeys>
struct KeyTiles {
  const Parameters& p;
  const Item& item;
  int frame_tiles;  // tiles a frame
  int video_tiles;

  __device__ KeyTiles(const Parameters& parameters, const Item& of)
      : p(parameters), item(of), frame_tiles(div_up(parameters.patches, kKeys)),
        video_tiles(of.frames * frame_tiles) {}

  __device__ int count() const { return video_tiles + div_up(p.text, kKeys); }
  __device__ int keys(int tile) const {
    return tile < video_tiles ? min(kKeys, p.patches - tile % frame_tiles * kKeys)
                              : min(kKeys, p.text - (tile - video_tiles) * kKeys);
  }
  __device__ std::int64_t token(int tile) const {
    const auto patches = static_cast<std::int64_t>(p.patches);
    if (tile >= video_tiles) return p.frames * patches + (tile - video_tiles) * kKeys;
    const int entry = tile / frame_tiles;
    const int frame = item.list != nullptr ? item.list[entry] : entry;
    return frame * patches + tile % frame_tiles * kKeys;
  }
};

/// Starts to copy `rows` rows; the rest of the tile becomes zero.
template <typename Element, int kDim, int kRows>
__device__ void copy_tile(Element* tile, const Element* source, std::int64_t stride, int rows,
                          int head_dim) {
  constexpr int kChunks = kDim / 8;
  for (int i = static_cast<int>(threadIdx.x); i < kRows * kChunks; i += kThreads) {
    const int row = i / kChunks;
    const int column = i % kChunks * 8;
    const bool inside = row < rows && column < head_dim;
    copy_16_async(tile + row * Shape<kDim>::kRow + column,
                  source + (inside ? row * stride + column : 0), inside);
  }
}

/// What a warp carries from tile to tile. A thread holds parts of rows lane / 4 and lane / 4 + 8.
template <int kDim>
struct Rows {
  float out[kDim / 8][4] = {};
  float most[2] = {-INFINITY, -INFINITY};  // running maximum, in units of log2
  float sum[2] = {};                       // this thread's part of the denominator
};

/// scores = Q K^T for the warp's 16 rows.
template <typename Element, int kDim>
__device__ void multiply_keys(float (&scores)[Shape<kDim>::kKeys / 8][4], const Element* q,
                              const Element* k, int head_dim) {
  constexpr int kRow = Shape<kDim>::kRow;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const Element* q_row = q + (lane % 16) * kRow + lane / 16 * 8;
  const Element* k_row = k + (lane % 8 + lane / 16 * 8) * kRow + lane / 8 % 2 * 8;
#pragma unroll
  for (int d = 0; d < kDim; d += 16) {
    if (d >= head_dim) break;
    std::uint32_t a[4];
    load_matrices(a, q_row + d);
#pragma unroll
    for (int j = 0; j < Shape<kDim>::kKeys; j += 16) {
      std::uint32_t b[4];
      load_matrices(b, k_row + j * kRow + d);
      multiply_add<Element>(scores[j / 8], a, b[0], b[1]);
      multiply_add<Element>(scores[j / 8 + 1], a, b[2], b[3]);
    }
  }
}

/// Scores to unnormalised probabilities; rescales what was summed under a smaller maximum.
template <int kDim>
__device__ void softmax_step(Rows<kDim>& rows, float (&scores)[Shape<kDim>::kKeys / 8][4],
                             int keys, float scale_log2) {
  constexpr int kTiles = Shape<kDim>::kKeys / 8;
  const int column = static_cast<int>(threadIdx.x) % 4 * 2;
  float most[2] = {rows.most[0], rows.most[1]};
#pragma unroll
  for (int j = 0; j < kTiles; ++j) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const bool inside = j * 8 + column + i % 2 < keys;
      scores[j][i] = inside ? scores[j][i] * scale_log2 : -INFINITY;
      most[i / 2] = fmaxf(most[i / 2], scores[j][i]);
    }
  }
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    most[r] = fmaxf(most[r], __shfl_xor_sync(0xffffffffu, most[r], 1));
    most[r] = fmaxf(most[r], __shfl_xor_sync(0xffffffffu, most[r], 2));
    // With all scores at -inf, -inf - -inf would be no number; the exponentials are then 0.
    const float base = most[r] == -INFINITY ? 0.0F : most[r];
    const float rescale = exp2f(rows.most[r] - base);
    rows.most[r] = most[r];
    rows.sum[r] *= rescale;
#pragma unroll
    for (int d = 0; d < kDim / 8; ++d) {
      rows.out[d][2 * r] *= rescale;
      rows.out[d][2 * r + 1] *= rescale;
    }
#pragma unroll
    for (int j = 0; j < kTiles; ++j) {
      scores[j][2 * r] = exp2f(scores[j][2 * r] - base);
      scores[j][2 * r + 1] = exp2f(scores[j][2 * r + 1] - base);
      rows.sum[r] += scores[j][2 * r] + scores[j][2 * r + 1];
    }
  }
}

/// out += P V, P rounded to the type of V.
template <typename Element, int kDim>
__device__ void multiply_values(Rows<kDim>& rows,
                                const float (&scores)[Shape<kDim>::kKeys / 8][4],
                                const Element* v, int head_dim) {
  constexpr int kRow = Shape<kDim>::kRow;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const Element* v_row = v + (lane % 16) * kRow + lane / 16 * 8;
#pragma unroll
  for (int j = 0; j < Shape<kDim>::kKeys; j += 16) {
    const float(&low)[4] = scores[j / 8];
    const float(&high)[4] = scores[j / 8 + 1];
    const std::uint32_t a[4] = {pack<Element>(low[0], low[1]), pack<Element>(low[2], low[3]),
                                pack<Element>(high[0], high[1]), pack<Element>(high[2], high[3])};
#pragma unroll
    for (int d = 0; d < kDim; d += 16) {
      if (d >= head_dim) break;
      std::uint32_t b[4];
      load_matrices_transposed(b, v_row + j * kRow + d);
      multiply_add<Element>(rows.out[d / 8], a, b[0], b[1]);
      multiply_add<Element>(rows.out[d / 8 + 1], a, b[2], b[3]);
    }
  }
}

template <typename Element, int kDim>
__device__ void write_row(const Parameters& p, const Rows<kDim>& rows, const Item& item, int r,
                          int row) {
  float sum = rows.sum[r];
  sum += __shfl_xor_sync(0xffffffffu, sum, 1);
  sum += __shfl_xor_sync(0xffffffffu, sum, 2);
  if (row >= item.rows) return;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const std::int64_t token = item.token + row;
  const float factor = sum == 0.0F ? 0.0F : 1.0F / sum;  // no keys: output 0
  const std::int64_t at = item.batch * p.out_strides.batch + token * p.out_strides.token +
                          item.head * p.out_strides.head + lane % 4 * 2;
#pragma unroll
  for (int d = 0; d < kDim; d += 8) {
    if (d >= p.head_dim) break;
    const float low = rows.out[d / 8][2 * r] * factor;
    const float high = rows.out[d / 8][2 * r + 1] * factor;
    if (p.out_is_f32) {
      *reinterpret_cast<float2*>(static_cast<float*>(p.out) + at + d) = {low, high};
    } else {
      *reinterpret_cast<std::uint32_t*>(static_cast<Element*>(p.out) + at + d) =
          pack<Element>(low, high);
    }
  }
  if (p.lse != nullptr && lane % 4 == 0) {
    constexpr float kLn2 = 0.693147180559945309F;
    p.lse[item.batch * p.lse_strides.batch + token * p.lse_strides.token +
          item.head * p.lse_strides.head] =
        sum == 0.0F ? -INFINITY : fmaf(rows.most[r], kLn2, logf(sum));
  }
}

template <typename Element, int kDim>
__global__ void __launch_bounds__(kThreads) attend_kernel(const __grid_constant__ Parameters p) {
  using S = Shape<kDim>;
  extern __shared__ __align__(16) unsigned char memory[];
  auto* const q_tile = reinterpret_cast<Element*>(memory);
  Element* const k_tiles = q_tile + S::kQueryElements;
  Element* const v_tiles = k_tiles + 2 * S::kKeyElements;

  const Item item = find_item(p, blockIdx.x);
  const KeyTiles<S::kKeys> tiles(p, item);
  const int kv_head = item.head / (p.heads / p.kv_heads);
  const auto* q = static_cast<const Element*>(p.q) + item.batch * p.q_strides.batch +
                  item.head * p.q_strides.head;
  const auto* k = static_cast<const Element*>(p.k) + item.batch * p.k_strides.batch +
                  kv_head * p.k_strides.head;
  const auto* v = static_cast<const Element*>(p.v) + item.batch * p.v_strides.batch +
                  kv_head * p.v_strides.head;
  const auto copy_keys = [&](int tile) {
    const int stage = tile % 2 * S::kKeyElements;
    const std::int64_t token = tiles.token(tile);
    copy_tile<Element, kDim, S::kKeys>(k_tiles + stage, k + token * p.k_strides.token,
                                       p.k_strides.token, tiles.keys(tile), p.head_dim);
    copy_tile<Element, kDim, S::kKeys>(v_tiles + stage, v + token * p.v_strides.token,
                                       p.v_strides.token, tiles.keys(tile), p.head_dim);
  };

  const int count = tiles.count();
  if (count > 0) {
    copy_tile<Element, kDim, kQueryTile>(q_tile, q + item.token * p.q_strides.token,
                                         p.q_strides.token, item.rows, p.head_dim);
    copy_keys(0);
  }
  commit_copies();

  const int warp_row = static_cast<int>(threadIdx.x) / 32 * 16;
  Rows<kDim> rows;
  for (int tile = 0; tile < count; ++tile) {
    if (tile + 1 < count) copy_keys(tile + 1);
    commit_copies();  // also when it is empty: the wait below counts groups
    wait_copies<1>();
    __syncthreads();
    const int stage = tile % 2 * S::kKeyElements;
    float scores[S::kKeys / 8][4] = {};
    multiply_keys<Element, kDim>(scores, q_tile + warp_row * S::kRow, k_tiles + stage, p.head_dim);
    softmax_step<kDim>(rows, scores, tiles.keys(tile), p.scale_log2);
    multiply_values<Element, kDim>(rows, scores, v_tiles + stage, p.head_dim);
    __syncthreads();  // the next copies overwrite this stage
  }
  const int row = warp_row + static_cast<int>(threadIdx.x) % 32 / 4;
  write_row<Element, kDim>(p, rows, item, 0, row);
  write_row<Element, kDim>(p, rows, item, 1, row + 8);
}

template <typename Element, int kDim>
cudaError_t launch_padded(const Parameters& p, cudaStream_t stream) {
  constexpr int kBytes = Shape<kDim>::kBytes;
  const auto kernel = attend_kernel<Element, kDim>;
  const cudaError_t status =
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
  if (status != cudaSuccess) return status;
  kernel<<<static_cast<unsigned>(block_count(p)), kThreads, kBytes, stream>>>(p);
  return cudaGetLastError();
}

/// Three instances a type serve all head sizes.
template <typename Element>
cudaError_t launch(const Parameters& p, cudaStream_t stream) {
  if (p.head_dim <= 64) return launch_padded<Element, 64>(p, stream);
  if (p.head_dim <= 128) return launch_padded<Element, 128>(p, stream);
  return launch_padded<Element, 256>(p, stream);
}

}  // namespace lvsa::cuda::portable
