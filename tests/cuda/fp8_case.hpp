#pragma once
// Small problems for the fp8 kernel, and a brute-force answer in double precision with a bound for
// every element.

#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "core/kernel/lvsa_kernel.h"
#include "tests/cuda/frame_lists.hpp"

namespace lvsa::cuda::test {

inline constexpr std::int64_t kFp8HeadDim = 128;
inline constexpr std::uint16_t kFp8Unwritten = 0x7ea5;  ///< a NaN

struct Fp8Case {
  std::int64_t frames = 3;
  std::int64_t patches = 33;
  std::int64_t text = 0;
  std::int64_t batch = 1;
  std::int64_t heads = 1;
  std::int64_t kv_heads = 1;
  lvsa_dtype out = LVSA_BF16;
  bool indicator = false;  // v: 1 where the frame of the key is the column
  bool growing = false;    // scores grow from key to key, by hundreds in all
  std::vector<std::vector<std::int32_t>> lists;

  std::int64_t tokens() const { return frames * patches + text; }
  std::vector<std::int32_t> list(std::int64_t frame) const {
    if (!lists.empty()) return lists[static_cast<std::size_t>(frame)];
    return window_of_one(frames, frame);
  }
};

/// A tensor [B, S, heads, D] and one scale a head.
struct Fp8Tensor {
  std::int64_t heads;
  std::vector<std::uint8_t> bits;
  std::vector<float> scales;

  double at(const Fp8Case& c, std::int64_t b, std::int64_t s, std::int64_t h, std::int64_t d) const;
};

struct Fp8Inputs {
  Fp8Tensor q, k, v;
};

Fp8Inputs make_inputs(const Fp8Case& c);

struct Fp8Outputs {
  lvsa_status status = LVSA_OK;
  std::string message;
  std::vector<std::uint16_t> out;
  std::vector<float> lse;
};

/// The lvsa_problem of a case, all pointers null.
lvsa_problem problem_of(const Fp8Case& c);

/// Runs the kernel cuda-fp8 and waits.
Fp8Outputs run_fp8(const Fp8Case& c, const Fp8Inputs& inputs, bool scales = true);

struct Fp8Row {
  std::array<double, kFp8HeadDim> out{};
  std::array<double, kFp8HeadDim> bound{};
  double lse = -INFINITY;
  double lse_bound = 0;
};

Fp8Row brute_force(const Fp8Case& c, const Fp8Inputs& inputs, std::int64_t b, std::int64_t s,
                   std::int64_t h);

}  // namespace lvsa::cuda::test
