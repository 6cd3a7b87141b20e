#include "analysis/sweep/captured_bits.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstring>

#include "analysis/verify/byte_hash.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::array<const char*, 3> kNames{"q", "k", "v"};
constexpr std::array<const char*, 3> kFactors{"q_scale", "k_scale", "v_scale"};

template <typename Bits>
bool all_ones_somewhere(const std::byte* from, std::int64_t count, std::int64_t stride, Bits mask) {
  bool found = false;
  for (std::int64_t i = 0; i < count; ++i) {
    Bits bits{};
    std::memcpy(&bits, from + static_cast<std::size_t>(i * stride) * sizeof bits, sizeof bits);
    found |= (bits & mask) == mask;
  }
  return found;
}

// By the bits of the exponent, which costs no conversion.
bool has_not_finite(DType dtype, const std::byte* from, std::int64_t count, std::int64_t stride) {
  switch (dtype) {
    case LVSA_BF16:
      return all_ones_somewhere<std::uint16_t>(from, count, stride, 0x7f80);
    case LVSA_F16:
      return all_ones_somewhere<std::uint16_t>(from, count, stride, 0x7c00);
    case LVSA_E4M3:
      return all_ones_somewhere<std::uint8_t>(from, count, stride, 0x7f);
    case LVSA_F32:
      return all_ones_somewhere<std::uint32_t>(from, count, stride, 0x7f800000U);
    default:
      return all_ones_somewhere<std::uint64_t>(from, count, stride, 0x7ff0000000000000ULL);
  }
}

std::string token_place(const FrameGrid& grid, std::int64_t token) {
  const std::int64_t text = token - grid.video_tokens();
  if (text >= 0) return fmt::format("text row {}", text);
  return fmt::format("frame {} row {}", token / grid.patches_per_frame,
                     token % grid.patches_per_frame);
}

}  // namespace

CapturedBits::CapturedBits(const TensorSource& file, const std::string& group,
                           const CapturedShape& shape)
    : shape_(shape) {
  const bool packed = shape_.inputs[0].name == shape_.inputs[1].name;
  std::string words;
  for (std::size_t part = 0; part < kNames.size(); ++part) {
    const CapturedTensor& tensor = shape_.inputs[part];
    words += fmt::format("{} [{}] {} {}\n", kNames[part], fmt::join(tensor.form.shape, ","),
                         element_name(tensor.form.type), tensor.axes.letters());
    if (part == 0 || !packed) {
      bits_[part].resize(static_cast<std::size_t>(tensor.form.bytes()));
      file.read_bits(tensor.name, bits_[part].data());
      words += hash_text(byte_hash(bits_[part].data(), bits_[part].size())) + "\n";
    }
    if (element_dtype(tensor.form.type) == LVSA_E4M3) {
      const auto sizes = tensor.sizes();
      factors_[part] =
          captured_scales(file, captured_name(group, kFactors[part]), sizes[0], sizes[2]);
      words += hash_text(byte_hash(factors_[part].data(), factors_[part].size() * sizeof(float)));
    }
  }
  hash_ = byte_hash(words);
}

const std::byte* CapturedBits::row(CallPart part, std::int64_t batch, std::int64_t token,
                                   std::int64_t head) const {
  const auto index = static_cast<std::size_t>(part);
  const CapturedTensor& tensor = shape_.inputs[index];
  const auto stride = [&](char letter) { return tensor.axes.stride(tensor.form.shape, letter); };
  const std::int64_t element =
      tensor.part * stride('3') + batch * stride('b') + token * stride('s') + head * stride('h');
  const auto& bits = bits_[index].empty() ? bits_[0] : bits_[index];
  return bits.data() + static_cast<std::size_t>(element) * element_bytes(tensor.form.type);
}

Tensor CapturedBits::head(CallPart part, std::int64_t batch, std::int64_t head) const {
  const auto index = static_cast<std::size_t>(part);
  const CapturedTensor& tensor = shape_.inputs[index];
  // No structured binding: clang 14 lets no OpenMP region see one.
  const std::array<std::int64_t, 4> sizes = tensor.sizes();
  const std::int64_t tokens = sizes[1];
  const std::int64_t heads = sizes[2];
  const std::int64_t dim = sizes[3];
  const DType stored = element_dtype(tensor.form.type);
  const std::size_t width = dtype_bytes(stored);
  const std::int64_t stride = tensor.axes.stride(tensor.form.shape, 'd');
  const auto& factors = factors_[index];
  const DType dtype = factors.empty() ? stored : LVSA_F32;
  const float factor =
      factors.empty() ? 1.0F : factors[static_cast<std::size_t>(batch * heads + head)];
  Tensor made(dtype, {1, tokens, 1, dim}, Layout::kBSHD);
  const std::size_t row_bytes = static_cast<std::size_t>(dim) * dtype_bytes(dtype);
#pragma omp parallel for schedule(static)
  for (std::int64_t s = 0; s < tokens; ++s) {
    const std::byte* from = row(part, batch, s, head);
    std::byte* to = made.bytes() + static_cast<std::size_t>(s) * row_bytes;
    if (dtype == stored && stride == 1) {
      std::memcpy(to, from, row_bytes);
      continue;
    }
    for (std::int64_t d = 0; d < dim; ++d) {
      const std::byte* element = from + static_cast<std::size_t>(d * stride) * width;
      if (dtype == stored) {
        std::memcpy(to + static_cast<std::size_t>(d) * width, element, width);
        continue;
      }
      const float value = static_cast<float>(decode(stored, element)) * factor;
      std::memcpy(to + static_cast<std::size_t>(d) * sizeof value, &value, sizeof value);
    }
  }
  return made;
}

std::string CapturedBits::first_not_finite(CallPart part, std::int64_t batch,
                                           std::int64_t head) const {
  const CapturedTensor& tensor = shape_.inputs[static_cast<std::size_t>(part)];
  // No structured binding: clang 14 lets no OpenMP region see one.
  const std::array<std::int64_t, 4> sizes = tensor.sizes();
  const std::int64_t tokens = sizes[1];
  const std::int64_t dim = sizes[3];
  const DType dtype = element_dtype(tensor.form.type);
  const std::int64_t stride = tensor.axes.stride(tensor.form.shape, 'd');
  for (std::int64_t s = 0; s < tokens; ++s) {
    const std::byte* from = row(part, batch, s, head);
    if (!has_not_finite(dtype, from, dim, stride)) continue;
    for (std::int64_t d = 0; d < dim; ++d) {
      const double x =
          decode(dtype, from + static_cast<std::size_t>(d * stride) * dtype_bytes(dtype));
      if (std::isfinite(x)) continue;
      return fmt::format("{}: {} at batch {}, token {} ({}), head {}, column {}",
                         kNames[static_cast<std::size_t>(part)], std::isnan(x) ? "NaN" : "infinity",
                         batch, s, token_place(shape_.grid, s), head, d);
    }
  }
  return {};
}

}  // namespace lvsa::analysis
