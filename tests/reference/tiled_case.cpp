#include "tests/reference/tiled_case.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <sstream>

namespace tiled_test {
namespace {

constexpr std::uint8_t kGap = 0xa5;

std::size_t element_size(lvsa_dtype dtype) { return dtype == LVSA_F32 ? 4 : 2; }

// A 16-bit float format by its number of fraction bits and exponent bias, decoded by definition.
double decode(std::uint32_t bits, int fraction_bits, int exponent_bits) {
  const std::uint32_t exponent = (bits >> fraction_bits) & ((1U << exponent_bits) - 1U);
  const double fraction = static_cast<double>(bits & ((1U << fraction_bits) - 1U));
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const double sign = (bits >> (fraction_bits + exponent_bits)) != 0 ? -1.0 : 1.0;
  if (exponent == (1U << exponent_bits) - 1U) {
    return fraction != 0.0 ? std::numeric_limits<double>::quiet_NaN()
                           : sign * std::numeric_limits<double>::infinity();
  }
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - fraction_bits);
  return sign *
         std::ldexp(1.0 + std::ldexp(fraction, -fraction_bits), static_cast<int>(exponent) - bias);
}

std::uint32_t to_bits(lvsa_dtype dtype, double value) {
  const int fraction_bits = dtype == LVSA_BF16 ? 7 : 10;
  const int exponent_bits = dtype == LVSA_BF16 ? 8 : 5;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const std::uint32_t sign = std::signbit(value) ? 1U << (fraction_bits + exponent_bits) : 0U;
  const std::uint32_t infinity = ((1U << exponent_bits) - 1U) << fraction_bits;
  if (std::isnan(value)) return sign | infinity | (1U << (fraction_bits - 1));
  if (std::isinf(value)) return sign | infinity;
  // Subnormals and normals alike are consecutive integers when counted in steps.
  int exponent = 0;
  std::frexp(value, &exponent);
  const int step = std::max(exponent - 1, 1 - bias) - fraction_bits;
  const double steps = std::nearbyint(std::ldexp(std::fabs(value), -step));
  const double base = step == 1 - bias - fraction_bits
                          ? 0.0
                          : std::ldexp(step + bias - 1 + fraction_bits, fraction_bits);
  const double code = base + steps;
  return sign | (code >= infinity ? infinity : static_cast<std::uint32_t>(code));
}

}  // namespace

double round_to(lvsa_dtype dtype, double value) {
  if (dtype == LVSA_F32) return static_cast<double>(static_cast<float>(value));
  if (dtype == LVSA_BF16) return decode(to_bits(dtype, value), 7, 8);
  return decode(to_bits(dtype, value), 10, 5);
}

Tensor::Tensor(std::int64_t batch, std::int64_t tokens, std::int64_t heads, const Shape& shape,
               lvsa_dtype dtype)
    : dtype_(dtype), sizes_{batch, tokens, heads, shape.dim} {
  const std::int64_t row = shape.dim * shape.element_stride + shape.row_gap;
  const bool tokens_first = shape.order == Order::kTokensFirst;
  strides_[3] = shape.element_stride;
  strides_[2] = tokens_first ? row : row * tokens;
  strides_[1] = tokens_first ? row * heads : row;
  strides_[0] = row * heads * tokens;
  bytes_.assign(static_cast<std::size_t>(strides_[0] * batch) * element_size(dtype), kGap);
}

std::int64_t Tensor::index(std::int64_t b, std::int64_t s, std::int64_t h, std::int64_t d) const {
  return b * strides_[0] + s * strides_[1] + h * strides_[2] + d * strides_[3];
}

double Tensor::get(std::int64_t b, std::int64_t s, std::int64_t h, std::int64_t d) const {
  const std::uint8_t* place =
      bytes_.data() + static_cast<std::size_t>(index(b, s, h, d)) * element_size(dtype_);
  if (dtype_ == LVSA_F32) {
    float value = 0;
    std::memcpy(&value, place, sizeof(value));
    return static_cast<double>(value);
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, place, sizeof(bits));
  return dtype_ == LVSA_BF16 ? decode(bits, 7, 8) : decode(bits, 10, 5);
}

void Tensor::set(std::int64_t b, std::int64_t s, std::int64_t h, std::int64_t d, double value) {
  std::uint8_t* place =
      bytes_.data() + static_cast<std::size_t>(index(b, s, h, d)) * element_size(dtype_);
  if (dtype_ == LVSA_F32) {
    const auto single = static_cast<float>(value);
    std::memcpy(place, &single, sizeof(single));
  } else {
    const auto bits = static_cast<std::uint16_t>(to_bits(dtype_, value));
    std::memcpy(place, &bits, sizeof(bits));
  }
}

lvsa_tensor Tensor::view() {
  return {bytes_.data(), {strides_[0], strides_[1], strides_[2], strides_[3]}};
}

bool Tensor::gaps_touched() const {
  std::vector<bool> owned(bytes_.size(), false);
  for (std::int64_t b = 0; b < sizes_[0]; ++b)
    for (std::int64_t s = 0; s < sizes_[1]; ++s)
      for (std::int64_t h = 0; h < sizes_[2]; ++h)
        for (std::int64_t d = 0; d < sizes_[3]; ++d)
          for (std::size_t i = 0; i < element_size(dtype_); ++i)
            owned[static_cast<std::size_t>(index(b, s, h, d)) * element_size(dtype_) + i] = true;
  for (std::size_t i = 0; i < owned.size(); ++i) {
    if (!owned[i] && bytes_[i] != kGap) return true;
  }
  return false;
}

Case::Case(const Shape& s, std::uint32_t seed) : shape(s) {
  if (shape.scale == 0.0) shape.scale = 1.0 / std::sqrt(static_cast<double>(shape.dim));
  q = Tensor(shape.batch, tokens(), shape.heads, shape, shape.dtype);
  k = Tensor(shape.batch, tokens(), shape.kv_heads, shape, shape.dtype);
  v = Tensor(shape.batch, tokens(), shape.kv_heads, shape, shape.dtype);
  out = Tensor(shape.batch, tokens(), shape.heads, shape, shape.out_dtype);
  lse.assign(static_cast<std::size_t>(shape.batch * tokens() * shape.heads), 123.0F);
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0.0, shape.spread);
  for (Tensor* tensor : {&q, &k, &v}) {
    const std::int64_t heads = tensor == &q ? shape.heads : shape.kv_heads;
    for (std::int64_t b = 0; b < shape.batch; ++b)
      for (std::int64_t t = 0; t < tokens(); ++t)
        for (std::int64_t h = 0; h < heads; ++h)
          for (std::int64_t d = 0; d < shape.dim; ++d) tensor->set(b, t, h, d, normal(random));
  }
  for (std::int64_t f = 0; f < shape.frames; ++f) {
    std::vector<std::int32_t> row;
    for (std::int64_t g = 0; g < shape.frames; ++g) {
      if (g == 0 || std::abs(g - f) <= 1) row.push_back(static_cast<std::int32_t>(g));
    }
    lists.push_back(row);
  }
}

lvsa_problem Case::problem() {
  offsets_.assign(1, 0);
  flat_.clear();
  for (const auto& row : lists) {
    flat_.insert(flat_.end(), row.begin(), row.end());
    offsets_.push_back(static_cast<std::int64_t>(flat_.size()));
  }
  lvsa_problem p{};
  p.struct_size = sizeof(p);
  p.batch = shape.batch;
  p.frames = shape.frames;
  p.patches_per_frame = shape.patches;
  p.text_tokens = shape.text;
  p.heads = shape.heads;
  p.kv_heads = shape.kv_heads;
  p.head_dim = shape.dim;
  p.scale = shape.scale;
  p.dtype = shape.dtype;
  p.out_dtype = shape.out_dtype;
  p.p_dtype = shape.p_dtype;
  p.memory = LVSA_HOST;
  p.threads = shape.threads;
  p.q = q.view();
  p.k = k.view();
  p.v = v.view();
  p.out = out.view();
  p.lse = lse.data();
  p.lse_strides[0] = tokens() * shape.heads;
  p.lse_strides[1] = shape.heads;
  p.lse_strides[2] = 1;
  p.frame_lists = {offsets_.data(), flat_.data()};
  return p;
}

void Case::run(const lvsa_kernel& kernel) {
  const lvsa_problem p = problem();
  std::size_t bytes = 0;
  ASSERT_EQ(kernel.workspace(&p, &bytes), LVSA_OK);
  // Garbage in the workspace and a zone behind it: neither may matter.
  std::vector<std::uint8_t> workspace(bytes + 64, 0xff);
  char message[256] = "";
  ASSERT_EQ(kernel.run(&p, workspace.data(), bytes, nullptr, message, sizeof(message)), LVSA_OK)
      << message;
  for (std::size_t i = bytes; i < workspace.size(); ++i) ASSERT_EQ(workspace[i], 0xff);
}

void Case::for_each_key(std::int64_t token, const std::function<void(std::int64_t)>& visit) const {
  const std::int64_t video = shape.frames * shape.patches;
  for (std::int64_t key = 0; key < tokens(); ++key) {
    bool attended = token >= video || key >= video;
    if (!attended) {
      const auto& row = lists[static_cast<std::size_t>(token / shape.patches)];
      attended = std::find(row.begin(), row.end(), key / shape.patches) != row.end();
    }
    if (attended) visit(key);
  }
}

std::vector<const lvsa_kernel*> all_levels() {
  using lvsa::reference::SimdLevel;
  std::vector<const lvsa_kernel*> kernels;
  for (const auto level : {SimdLevel::kBaseline, SimdLevel::kAvx2, SimdLevel::kAvx512}) {
    const lvsa_kernel* kernel = lvsa::reference::cpu_kernel_at(level);
    if (kernel != nullptr) kernels.push_back(kernel);
  }
  return kernels;
}

}  // namespace tiled_test
