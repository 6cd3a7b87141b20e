#pragma once
// The tensors of a generated case, from a counter-based generator: element i of tensor t under seed
// s depends on (s, t, i) alone, so any part can be made anywhere, on any number of threads.

#include <cstdint>

#include "analysis/verify/case.hpp"
#include "core/tensor/tensor.hpp"

namespace lvsa::analysis {

/// 64 random bits of element `index` in stream `stream` (0 q, 1 k, 2 v) under a seed. Integer
/// operations only: the same bits on every machine. (A keyed SplitMix64 finaliser.)
constexpr std::uint64_t random_bits(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
  const auto mix = [](std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  };
  const std::uint64_t key = mix(seed * 0x9e3779b97f4a7c15ULL + stream + 1);
  return mix(key + index * 0x9e3779b97f4a7c15ULL);
}

/// A bell-shaped value of mean 0 and variance 1 from 64 bits: the sum of four 16-bit integers,
/// centred and scaled in one exact product. Nearly normal, within +-3.47.
constexpr float bell(std::uint64_t bits) {
  const auto sum = static_cast<std::int32_t>((bits & 0xffff) + ((bits >> 16) & 0xffff) +
                                             ((bits >> 32) & 0xffff) + (bits >> 48));
  // Variance of the sum: 4 * (65536^2 - 1) / 12.
  constexpr float kScale = 1.0F / 37837.227F;
  return static_cast<float>(sum - 131070) * kScale;
}

/// q, k, v of one call; q [B, S, H, D], k and v [B, S, Hkv, D].
struct AttentionTensors {
  Tensor q;
  Tensor k;
  Tensor v;
  /// Factors of q, k and v as lvsa_problem has them, of fp8 tensors only: 0.75 to 1.5, by seed and
  /// head, so that a kernel that forgets one or takes another head's is off.
  std::vector<float> q_scale{};
  std::vector<float> k_scale{};
  std::vector<float> v_scale{};
};

/// Type of the output: that of the inputs, bf16 for those of fp8.
DType output_dtype(const Case& c);

/// What a kernel is to attend: the tensors times their scales in fp32, where that is exact.
AttentionTensors scaled_tensors(const AttentionTensors& tensors);

/// Makes the tensors of a case. Element order for the counter is [B, S, H, D] whatever the layout,
/// so that a case keeps its values when the layout changes.
AttentionTensors make_inputs(const Case& c);

/// The tensors of a case: read from its file when it names one, else made. Throws Error(kIo or
/// kValue) naming the file when it is missing, damaged or of other sizes.
AttentionTensors case_tensors(const Case& c);

/// Keys a tile of the inputs that mark or single out tiles. Kernels tile as they like; 64 is a
/// divisor or a multiple of most choices.
inline constexpr std::int64_t kInputTile = 64;

/// Class of a key token under InputKind::kIndicator, 0 .. D - 1: its frame modulo D; text tokens
/// count as one more frame behind the last.
std::int64_t indicator_class(const FrameGrid& grid, std::int64_t token, std::int64_t head_dim);
/// The same under any kind that marks keys: by frame, by tile of the sequence, by key, or
/// (kBeacon) by tile of the frame. 0 under other kinds.
std::int64_t indicator_class(InputKind kind, const FrameGrid& grid, std::int64_t token,
                             std::int64_t head_dim);

/// Whether a key token is one of the dominant ones of InputKind::kBeacon.
bool is_beacon(const FrameGrid& grid, std::uint64_t seed, std::int64_t token);

}  // namespace lvsa::analysis
