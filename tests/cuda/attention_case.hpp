#pragma once
// Small attention problems for the device's kernels, and a brute-force answer in double precision
// with a bound for every element. Nothing here knows how a kernel works but for what it declares.

#include <cstdint>
#include <string>
#include <vector>

#include "core/kernel/lvsa_kernel.h"
#include "tests/cuda/frame_lists.hpp"

namespace lvsa::cuda::test {

enum class Inputs {
  kGauss,
  kUniform,    ///< k = 0: all scores equal
  kIndicator,  ///< v_jc = 1 when c = (frame of key j) mod D: the output is the mass on each frame
};

struct AttentionCase {
  std::int64_t frames = 1;
  std::int64_t patches = 1;
  std::int64_t text = 0;
  std::int64_t batch = 1;
  std::int64_t heads = 1;
  std::int64_t kv_heads = 1;
  std::int64_t head_dim = 64;
  lvsa_dtype dtype = LVSA_BF16;
  bool heads_first = false;  ///< [B, H, S, D] with gaps between the rows, else [B, S, H, D]
  Inputs inputs = Inputs::kGauss;
  double sigma = 1.0;
  std::uint64_t seed = 1;
  std::vector<std::vector<std::int32_t>> lists;  ///< of each frame; empty: a window of one

  std::int64_t seq_len() const { return frames * patches + text; }
  std::vector<std::int32_t> list(std::int64_t frame) const;
};

std::string text(const AttentionCase& c);

/// A tensor on the host as its bits. Behind the last token of each batch element (or head) lie
/// `kRedRows` rows that belong to nobody, between rows there may be gaps; all hold NaN.
struct HostTensor {
  std::vector<std::uint16_t> bits;
  std::int64_t strides[4];

  std::size_t at(std::int64_t b, std::int64_t s, std::int64_t h, std::int64_t d) const {
    return static_cast<std::size_t>(b * strides[0] + s * strides[1] + h * strides[2] + d);
  }
};
inline constexpr std::int64_t kRedRows = 3;

struct AttentionInputs {
  HostTensor q, k, v;
};
AttentionInputs make_inputs(const AttentionCase& c);

/// Fills the k and v rows of one frame with NaN.
void poison_frame(const AttentionCase& c, AttentionInputs& inputs, std::int64_t frame);

struct AttentionOutputs {
  lvsa_status status = LVSA_OK;
  std::string message;
  HostTensor out;
  std::vector<float> lse;  // [B, S, H], with a red zone behind
};

/// Runs a kernel for device memory on its default stream and waits.
AttentionOutputs run_on_device(const lvsa_kernel& kernel, const AttentionCase& c,
                               const AttentionInputs& inputs, bool want_lse);

/// Compares with the brute-force answer; empty when every element is within its bound and nothing
/// beside the rows was written, else the first difference.
std::string compare(const lvsa_kernel& kernel, const AttentionCase& c,
                    const AttentionInputs& inputs, const AttentionOutputs& outputs);

/// The lvsa_problem of a case, all pointers null, on the lists given.
lvsa_problem problem_of(const AttentionCase& c, const std::vector<std::int64_t>& offsets,
                        const std::vector<std::int32_t>& list);
double value(std::uint16_t bits, lvsa_dtype dtype);

}  // namespace lvsa::cuda::test
