#pragma once
// What the portable attention kernel is told, and its host-side launch.

#include <cuda_runtime_api.h>

#include <cstdint>

namespace lvsa::cuda::portable {

/// Query rows a block: four warps of 32, or of 16 where longer heads leave too few registers.
constexpr int query_tile(std::int64_t head_dim) { return head_dim <= 128 ? 128 : 64; }

/// Keys a tile. With these tiles a block fits in the 99 KiB of shared memory of the smallest
/// devices of this class. A tile never holds keys of two frames.
constexpr int key_tile(std::int64_t head_dim) { return head_dim <= 128 ? 64 : 32; }

inline constexpr std::int64_t kMaxHeadDim = 256;

/// Steps in elements; the step within a row is 1.
struct Strides {
  std::int64_t batch;
  std::int64_t token;
  std::int64_t head;
};

/// What any kernel for device tensors as they come is told of them; Sq query and Sk key tokens.
struct Tensors {
  const void* q;  ///< [B, Sq, H, D]
  const void* k;  ///< [B, Sk, Hkv, D]
  const void* v;  ///< [B, Sk, Hkv, D]
  void* out;      ///< [B, Sq, H, D]
  float* lse;     ///< [B, Sq, H]; null: not wanted
  Strides q_strides;
  Strides k_strides;
  Strides v_strides;
  Strides out_strides;
  Strides lse_strides;
  std::int32_t batch;
  std::int32_t heads;
  std::int32_t kv_heads;
  std::int32_t head_dim;  ///< a multiple of 8
  float scale_log2;       ///< scale * log2(e)
  bool out_is_f32;        ///< else the type of the inputs
};

/// head_dim is at most kMaxHeadDim; Sq and Sk are T * patches + text.
struct Parameters : Tensors {
  const std::int64_t* offsets;  ///< [T + 1], device memory
  const std::int32_t* list;     ///< [offsets[T]], device memory
  std::int32_t frames;
  std::int32_t patches;
  std::int32_t text;
};

/// Blocks that a problem takes.
std::int64_t block_count(const Parameters& p);

/// Queue the kernel on the stream. No allocation, no synchronisation; can be captured.
cudaError_t attend_bf16(const Parameters& p, cudaStream_t stream);
cudaError_t attend_f16(const Parameters& p, cudaStream_t stream);

}  // namespace lvsa::cuda::portable
