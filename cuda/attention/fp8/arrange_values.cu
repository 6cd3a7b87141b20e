// The pass before fp8 attention that writes V with its columns as rows: fp8 products take their
// operands K-major only, and for P V the keys are K.

#include <algorithm>

#include "cuda/attention/fp8/kernels.hpp"

namespace lvsa::cuda::fp8 {
namespace {

constexpr int kWarps = 8;
constexpr unsigned kMostBlocks = 1u << 30;

/// Turns four words of four bytes: out[i] has byte i of each.
__device__ __forceinline__ void turn(const std::uint32_t (&in)[4], std::uint32_t (&out)[4]) {
  const std::uint32_t low0 = __byte_perm(in[0], in[1], 0x5140);
  const std::uint32_t high0 = __byte_perm(in[0], in[1], 0x7362);
  const std::uint32_t low1 = __byte_perm(in[2], in[3], 0x5140);
  const std::uint32_t high1 = __byte_perm(in[2], in[3], 0x7362);
  out[0] = __byte_perm(low0, low1, 0x5410);
  out[1] = __byte_perm(low0, low1, 0x7632);
  out[2] = __byte_perm(high0, high1, 0x5410);
  out[3] = __byte_perm(high0, high1, 0x7632);
}

/// A warp writes one block: lane l its columns 4l .. 4l + 3.
__device__ void arrange_block(const ValueSource& v, const char* head, std::int64_t first_token,
                              int keys, char* out, int lane) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    std::uint32_t in[16];
#pragma unroll
    for (int i = 0; i < 16; ++i) {
      const int key = 16 * half + i;
      in[i] = key < keys ? *reinterpret_cast<const std::uint32_t*>(
                               head + (first_token + key) * v.strides.token + 4 * lane)
                         : 0;
    }
    std::uint32_t rows[4][4];  // [column][keys at places 4q .. 4q + 3]
#pragma unroll
    for (int q = 0; q < 4; ++q) {
      const std::uint32_t keys_of[4] = {in[2 * q], in[2 * q + 1], in[8 + 2 * q], in[9 + 2 * q]};
      std::uint32_t turned[4];
      turn(keys_of, turned);
#pragma unroll
      for (int column = 0; column < 4; ++column) rows[column][q] = turned[column];
    }
    auto* to = reinterpret_cast<uint4*>(out + half * (kBlockBytes / 2) + lane * 64);
#pragma unroll
    for (int column = 0; column < 4; ++column) {
      to[column] = make_uint4(rows[column][0], rows[column][1], rows[column][2], rows[column][3]);
    }
  }
}

__global__ void __launch_bounds__(32 * kWarps)
    arrange(const ValueSource v, const ValueBlocks blocks, std::int64_t count) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const std::int64_t stride = std::int64_t{gridDim.x} * kWarps;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / 32; i < count;
       i += stride) {
    char* out = blocks.data + i * kBlockBytes;
    if (i == 0) {
      arrange_block(v, v.data, 0, 0, out, lane);
      continue;
    }
    const std::int64_t head = (i - 1) / blocks.head_blocks;
    const auto in_head = static_cast<int>((i - 1) - head * blocks.head_blocks);
    const int frame = min(in_head / v.frame_blocks, v.frames);  // `frames`: the text
    const int first = (in_head - frame * v.frame_blocks) * kBlockKeys;
    const int keys = (frame < v.frames ? v.patches : v.text) - first;
    const char* of_head =
        v.data + head / v.kv_heads * v.strides.batch + head % v.kv_heads * v.strides.head;
    arrange_block(v, of_head, std::int64_t{frame} * v.patches + first, keys, out, lane);
  }
}

}  // namespace

cudaError_t arrange_values(const ValueSource& source, const ValueBlocks& blocks,
                           cudaStream_t stream) {
  const std::int64_t count = source.batch * source.kv_heads * blocks.head_blocks + 1;
  const auto grid =
      static_cast<unsigned>(std::min<std::int64_t>((count + kWarps - 1) / kWarps, kMostBlocks));
  arrange<<<grid, 32 * kWarps, 0, stream>>>(source, blocks, count);
  return cudaGetLastError();
}

}  // namespace lvsa::cuda::fp8
