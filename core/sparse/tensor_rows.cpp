#include "core/sparse/tensor_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "core/exact/exact_functions.hpp"

namespace lvsa::sparse {
namespace {

// Nearest even at `dropped` bits from the end of a double; the exponent takes the carry.
double round_bits(double value, int dropped) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const std::uint64_t half = (std::uint64_t{1} << (dropped - 1)) - 1;
  const std::uint64_t odd = (bits >> dropped) & 1u;
  return std::bit_cast<double>((bits + half + odd) & ~((std::uint64_t{1} << dropped) - 1));
}

}  // namespace

void require_tensors(const PatternInput& input, std::string_view rule) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorKind::kValue, fmt::format("{}: {}", rule, what));
  };
  if (input.q.data == nullptr || input.k.data == nullptr) refuse("needs q and k, none are given");
  const std::int64_t tokens = input.video.grid.seq_len();
  for (const TensorView* x : {&input.q, &input.k}) {
    const char* name = x == &input.q ? "q" : "k";
    const auto [b, s, h, d] = x->shape;
    if (b != 1 || s != tokens || h != 1 || d < 1) {
      refuse(fmt::format("{} has the shape [{}, {}, {}, {}], [1, {}, 1, D] is due", name, b, s, h,
                         d, tokens));
    }
  }
  if (input.q.shape[3] != input.k.shape[3]) {
    refuse(fmt::format("q has {} elements a row and k {}", input.q.shape[3], input.k.shape[3]));
  }
  if (input.q.dtype != input.k.dtype) {
    refuse(fmt::format("q is {} and k {}, one type is due", dtype_name(input.q.dtype),
                       dtype_name(input.k.dtype)));
  }
}

void require_frame_sides(const VideoGrid& video, std::string_view rule) {
  if (video.height < 1 || video.width < 1 ||
      video.height * video.width != video.grid.patches_per_frame) {
    throw Error(ErrorKind::kValue,
                fmt::format("{}: height {} times width {} has to be the {} tokens of a frame", rule,
                            video.height, video.width, video.grid.patches_per_frame));
  }
}

double round_to_type(DType dtype, double value) {
  const double size = std::fabs(value);
  // Where the type's numbers are as dense as at 1: only the significand is cut.
  if (dtype == LVSA_BF16 && size >= 0x1p-126 && size < 0x1p127) return round_bits(value, 45);
  if (dtype == LVSA_F16 && size >= 0x1p-14 && size < 0x1p15) return round_bits(value, 42);
  return round_to_dtype(dtype, value);
}

double dot(const double* a, const double* b, std::int64_t count) {
  std::array<double, 8> sums{};
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (std::size_t lane = 0; lane < 8; ++lane) {
      sums[lane] += a[i + std::int64_t(lane)] * b[i + std::int64_t(lane)];
    }
  }
  for (std::size_t lane = 0; i < count; ++i, ++lane) sums[lane] += a[i] * b[i];
  double sum = 0.0;
  for (const double part : sums) sum += part;
  return sum;
}

void exp_differences(const double* scores, double highest, std::int64_t count, double* weights) {
  constexpr double kLn2High = 0x1.62e42fee00000p-1;  // 32 bits, so that n times it is exact
  constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
  constexpr double kPerLn2 = 0x1.71547652b82fep+0;
  constexpr double kRounder = 0x1.8p52;  // a sum with it ends in the nearest integer's bits
  constexpr std::array<double, 14> kInverse = {1.0 / 14, 1.0 / 13, 1.0 / 12, 1.0 / 11, 1.0 / 10,
                                               1.0 / 9,  1.0 / 8,  1.0 / 7,  1.0 / 6,  1.0 / 5,
                                               1.0 / 4,  1.0 / 3,  1.0 / 2,  1.0};
  for (std::int64_t i = 0; i < count; ++i) {
    const double x = std::max(scores[i] - highest, -700.0);
    const double shifted = x * kPerLn2 + kRounder;
    const double n = shifted - kRounder;
    const double r = (x - n * kLn2High) - n * kLn2Low;
    double sum = 1.0;  // Taylor's series from its end; |r| <= 0.35
    for (const double inverse : kInverse) sum = 1.0 + sum * (r * inverse);
    // The low bits of `shifted` are n: it goes into the exponent; the result is normal.
    const std::uint64_t exponent = std::bit_cast<std::uint64_t>(shifted) << 52;
    weights[i] = std::bit_cast<double>(std::bit_cast<std::uint64_t>(sum) + exponent);
  }
}

std::vector<double> read_rows(const TensorView& x, const std::vector<std::int64_t>& tokens) {
  const auto dim = static_cast<std::size_t>(x.shape[3]);
  std::vector<double> rows(tokens.size() * dim);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    x.read_row(0, tokens[i], 0, rows.data() + i * dim);
  }
  return rows;
}

void require_finite(const std::vector<float>& scores, std::string_view rule, std::int64_t row) {
  for (std::size_t c = 0; c < scores.size(); ++c) {
    if (!(scores[c] < std::numeric_limits<float>::infinity())) {
      throw Error(
          ErrorKind::kValue,
          fmt::format("{}: the pooled score of blocks {} and {} is not finite", rule, row, c));
    }
  }
}

void softmax_fp32(const std::vector<float>& scores, std::vector<float>& probabilities) {
  probabilities.assign(scores.size(), 0.0F);
  const float highest = *std::max_element(scores.begin(), scores.end());
  if (highest == -std::numeric_limits<float>::infinity()) return;
  double sum = 0.0;
  for (std::size_t j = 0; j < scores.size(); ++j) {
    if (scores[j] == -std::numeric_limits<float>::infinity()) continue;
    probabilities[j] = static_cast<float>(
        exact::exp(static_cast<double>(scores[j]) - static_cast<double>(highest)));
    sum += static_cast<double>(probabilities[j]);
  }
  const auto total = static_cast<float>(sum);
  for (float& p : probabilities) p /= total;
}

}  // namespace lvsa::sparse
