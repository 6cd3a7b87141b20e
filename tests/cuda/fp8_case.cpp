#include "tests/cuda/fp8_case.hpp"

#include <algorithm>
#include <random>

#include "cuda/launch/hopper_kernel.hpp"
#include "tests/cuda/device_memory.hpp"

namespace lvsa::cuda::test {
namespace {

// e4m3: sign, four bits of exponent (bias 7), three of fraction; no infinity, 0x7f is NaN.
double e4m3_value(std::uint8_t bits) {
  const int exponent = bits >> 3 & 15;
  const int fraction = bits & 7;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -9) : std::ldexp(8 + fraction, exponent - 10);
  return bits & 0x80 ? -magnitude : magnitude;
}

}  // namespace

double Fp8Tensor::at(const Fp8Case& c, std::int64_t b, std::int64_t s, std::int64_t h,
                     std::int64_t d) const {
  const auto i = static_cast<std::size_t>(((b * c.tokens() + s) * heads + h) * kFp8HeadDim + d);
  return e4m3_value(bits[i]) * static_cast<double>(scales[static_cast<std::size_t>(b * heads + h)]);
}

Fp8Inputs make_inputs(const Fp8Case& c) {
  std::mt19937_64 random(7);
  // Magnitudes from 0.09 to 3.5, any sign; the scales differ by head and tensor.
  const auto tensor = [&](std::int64_t heads, float scale) {
    Fp8Tensor t{heads, {}, {}};
    t.bits.resize(static_cast<std::size_t>(c.batch * c.tokens() * heads * kFp8HeadDim));
    for (auto& bits : t.bits) {
      bits = static_cast<std::uint8_t>((0x1b + random() % 0x2c) | (random() & 0x80));
    }
    for (std::int64_t i = 0; i < c.batch * heads; ++i) {
      t.scales.push_back(scale * (1.0F + 0.25F * static_cast<float>(i)));
    }
    return t;
  };
  Fp8Inputs in{tensor(c.heads, 0.5F), tensor(c.kv_heads, 0.75F), tensor(c.kv_heads, 2.0F)};
  if (c.growing) {
    for (auto& bits : in.q.bits) bits &= 0x7f;
    for (std::size_t i = 0; i < in.k.bits.size(); ++i) {
      const auto token = static_cast<std::int64_t>(i) / kFp8HeadDim / c.kv_heads % c.tokens();
      in.k.bits[i] = static_cast<std::uint8_t>(8 + token * 100 / c.tokens());
    }
  }
  if (c.indicator) {
    for (std::size_t i = 0; i < in.v.bits.size(); ++i) {
      const auto token = static_cast<std::int64_t>(i) / kFp8HeadDim / c.kv_heads % c.tokens();
      const bool one = token / c.patches == static_cast<std::int64_t>(i) % kFp8HeadDim;
      in.v.bits[i] = one ? 0x38 : 0;
    }
  }
  return in;
}

lvsa_problem problem_of(const Fp8Case& c) {
  lvsa_problem p{};
  p.struct_size = sizeof p;
  p.batch = c.batch;
  p.frames = c.frames;
  p.patches_per_frame = c.patches;
  p.text_tokens = c.text;
  p.heads = c.heads;
  p.kv_heads = c.kv_heads;
  p.head_dim = kFp8HeadDim;
  p.scale = 1.0 / std::sqrt(static_cast<double>(kFp8HeadDim));
  p.dtype = LVSA_E4M3;
  p.out_dtype = c.out;
  p.memory = LVSA_CUDA;
  return p;
}

Fp8Outputs run_fp8(const Fp8Case& c, const Fp8Inputs& in, bool scales) {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> list;
  flatten(c, offsets, list);
  Fp8Outputs got;
  const auto rows = static_cast<std::size_t>(c.batch * c.tokens() * c.heads);
  const DeviceArray<std::uint8_t> q(in.q.bits), k(in.k.bits), v(in.v.bits);
  const DeviceArray<float> qs(in.q.scales), ks(in.k.scales), vs(in.v.scales);
  const DeviceArray<std::uint16_t> out(
      std::vector<std::uint16_t>(rows * kFp8HeadDim + 64, kFp8Unwritten));
  const DeviceArray<float> lse(std::vector<float>(rows + 64, 12345.0F));
  lvsa_problem p = problem_of(c);
  p.frame_lists = {offsets.data(), list.data()};
  const auto tensor = [&](void* data, std::int64_t heads) {
    return lvsa_tensor{data,
                       {c.tokens() * heads * kFp8HeadDim, heads * kFp8HeadDim, kFp8HeadDim, 1}};
  };
  p.q = tensor(q.get(), c.heads);
  p.k = tensor(k.get(), c.kv_heads);
  p.v = tensor(v.get(), c.kv_heads);
  p.out = tensor(out.get(), c.heads);
  p.lse = lse.get();
  p.lse_strides[0] = c.tokens() * c.heads;
  p.lse_strides[1] = c.heads;
  p.lse_strides[2] = 1;
  if (scales) {
    p.q_scale = qs.get();
    p.k_scale = ks.get();
    p.v_scale = vs.get();
  }
  std::size_t bytes = 0;
  EXPECT_EQ(fp8_kernel().workspace(&p, &bytes), LVSA_OK);
  const DeviceArray<char> workspace(bytes);
  std::array<char, 256> message{};
  got.status =
      fp8_kernel().run(&p, workspace.get(), bytes, nullptr, message.data(), message.size());
  got.message = message.data();
  check(cudaDeviceSynchronize(), "cuda-fp8");
  got.out = out.read();
  got.lse = lse.read();
  return got;
}

// Tier A of docs/bounds.md: u_P = 2^-4, P down to 2^-16 of the largest, sums cut off 13 bits behind
// the point of the largest addend.
Fp8Row brute_force(const Fp8Case& c, const Fp8Inputs& in, std::int64_t b, std::int64_t s,
                   std::int64_t h) {
  constexpr double kAccumulator = 0x1p-13;
  const std::vector<std::int64_t> keys = keys_of(c, s);
  Fp8Row row;
  if (keys.empty()) return row;
  const std::int64_t kv = h / (c.heads / c.kv_heads);
  std::vector<double> score(keys.size()), eta(keys.size()), p(keys.size());
  double most = -INFINITY;
  for (std::size_t j = 0; j < keys.size(); ++j) {
    double magnitude = 0;
    for (std::int64_t d = 0; d < kFp8HeadDim; ++d) {
      const double term = in.q.at(c, b, s, h, d) * in.k.at(c, b, keys[j], kv, d);
      score[j] += term / std::sqrt(static_cast<double>(kFp8HeadDim));
      magnitude += std::abs(term) / std::sqrt(static_cast<double>(kFp8HeadDim));
    }
    eta[j] = 1.1 * kFp8HeadDim * kAccumulator * magnitude + 1e-5;
    most = std::max(most, score[j]);
  }
  double total = 0;
  for (std::size_t j = 0; j < keys.size(); ++j) total += p[j] = std::exp(score[j] - most);
  std::array<double, kFp8HeadDim> absolute{};
  std::array<double, kFp8HeadDim> largest{};
  for (std::size_t j = 0; j < keys.size(); ++j) {
    row.lse_bound += p[j] / total * eta[j];
    for (std::int64_t d = 0; d < kFp8HeadDim; ++d) {
      const auto i = static_cast<std::size_t>(d);
      const double v = in.v.at(c, b, keys[j], kv, d);
      row.out[i] += p[j] / total * v;
      absolute[i] += p[j] / total * std::abs(v);
      largest[i] += std::abs(v) / total;
    }
  }
  for (std::size_t i = 0; i < kFp8HeadDim; ++i) {
    for (std::size_t j = 0; j < keys.size(); ++j) {
      const double v = in.v.at(c, b, keys[j], kv, static_cast<std::int64_t>(i));
      row.bound[i] += p[j] / total * std::abs(v - row.out[i]) * std::expm1(eta[j]);
    }
    row.bound[i] += (0x1p-4 + 140 * kAccumulator) * absolute[i] + 0x1p-16 * largest[i] +
                    0x1p-8 * std::abs(row.out[i]);
  }
  row.lse = most + std::log(total);
  row.lse_bound += 1e-5 * (1 + std::abs(row.lse));
  return row;
}

}  // namespace lvsa::cuda::test
