#include "analysis/verify/guarded_tensor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kZone = 4096;
constexpr std::size_t kAlignment = 256;
constexpr std::int64_t kGapBytes = 64;

std::int64_t count_other(const std::byte* data, std::size_t size, unsigned char fill) {
  return static_cast<std::int64_t>(size) -
         std::count(data, data + size, static_cast<std::byte>(fill));
}

std::array<std::int64_t, 4> strides_of(const std::array<std::int64_t, 4>& shape, Layout layout,
                                       std::int64_t gap) {
  const std::int64_t row = shape[3] + gap;
  const std::size_t inner = layout == Layout::kBSHD ? 2 : 1;
  const std::size_t outer = 3 - inner;
  std::array<std::int64_t, 4> strides{0, 0, 0, 1};
  strides[inner] = row;
  strides[outer] = shape[inner] * row + gap;
  strides[0] = shape[outer] * strides[outer] + gap;
  return strides;
}

std::size_t bytes_of(DType dtype, const std::array<std::int64_t, 4>& shape,
                     const std::array<std::int64_t, 4>& strides) {
  const std::int64_t width = static_cast<std::int64_t>(dtype_bytes(dtype));
  for (const std::int64_t size : shape) {
    if (size < 1) throw Error(ErrorKind::kValue, fmt::format("tensor: size {} below 1", size));
  }
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(strides[0], shape[0], &bytes) ||
      __builtin_mul_overflow(bytes, width, &bytes)) {
    throw Error(ErrorKind::kOverflow, "tensor: its bytes do not fit in 63 bits");
  }
  return static_cast<std::size_t>(bytes);
}

}  // namespace

GuardedBytes::GuardedBytes(std::size_t size, unsigned char fill, std::size_t shift)
    : size_(size), fill_(fill) {
  if (size > bytes_.max_size() / 2) {
    throw Error(ErrorKind::kOverflow, fmt::format("no memory for {} bytes", size));
  }
  try {
    bytes_.assign(size + 2 * kZone + kAlignment + shift, static_cast<std::byte>(fill));
  } catch (const std::exception&) {
    throw Error(ErrorKind::kOverflow, fmt::format("no memory for {} bytes", size));
  }
  const auto address = reinterpret_cast<std::uintptr_t>(bytes_.data()) + kZone;
  first_ = kZone + (kAlignment - address % kAlignment) % kAlignment + shift;
}

void GuardedBytes::refill(unsigned char fill) { std::memset(data(), fill, size_); }

std::int64_t GuardedBytes::changed_outside() const {
  return count_other(bytes_.data(), first_, fill_) +
         count_other(data() + size_, bytes_.size() - first_ - size_, fill_);
}

GuardedTensor::GuardedTensor(DType dtype, std::array<std::int64_t, 4> shape, Layout layout,
                             bool gaps, unsigned char fill, std::size_t shift)
    : dtype_(dtype),
      shape_(shape),
      strides_(strides_of(shape, layout,
                          gaps ? kGapBytes / static_cast<std::int64_t>(dtype_bytes(dtype)) : 0)),
      layout_(layout),
      bytes_(bytes_of(dtype, shape, strides_), fill, shift) {}

GuardedTensor::GuardedTensor(const TensorView& from, Layout layout, bool gaps, unsigned char fill,
                             std::size_t shift)
    : GuardedTensor(from.dtype, from.shape, layout, gaps, fill, shift) {
  const std::size_t width = dtype_bytes(dtype_);
  const auto* source = static_cast<const std::byte*>(from.data);
  for (std::int64_t b = 0; b < shape_[0]; ++b) {
    for (std::int64_t s = 0; s < shape_[1]; ++s) {
      for (std::int64_t h = 0; h < shape_[2]; ++h) {
        const std::int64_t at = b * from.strides[0] + s * from.strides[1] + h * from.strides[2];
        for (std::int64_t i = 0; i < (from.strides[3] == 1 ? 1 : shape_[3]); ++i) {
          std::memcpy(row(b, s, h) + static_cast<std::size_t>(i) * width,
                      source + static_cast<std::size_t>(at + i * from.strides[3]) * width,
                      from.strides[3] == 1 ? row_bytes() : width);
        }
      }
    }
  }
}

lvsa_tensor GuardedTensor::c_tensor() {
  lvsa_tensor tensor{bytes_.data(), {}};
  std::copy(strides_.begin(), strides_.end(), std::begin(tensor.strides));
  return tensor;
}

const std::byte* GuardedTensor::row(std::int64_t b, std::int64_t s, std::int64_t h) const {
  const std::int64_t at = b * strides_[0] + s * strides_[1] + h * strides_[2];
  return bytes_.data() + static_cast<std::size_t>(at) * dtype_bytes(dtype_);
}

std::byte* GuardedTensor::row(std::int64_t b, std::int64_t s, std::int64_t h) {
  return const_cast<std::byte*>(std::as_const(*this).row(b, s, h));
}

std::size_t GuardedTensor::row_bytes() const {
  return static_cast<std::size_t>(shape_[3]) * dtype_bytes(dtype_);
}

std::int64_t GuardedTensor::changed_outside() const {
  std::int64_t changed = bytes_.changed_outside();
  if (bytes_.size() == static_cast<std::size_t>(elements()) * dtype_bytes(dtype_)) return changed;
  // Rows in the order of their addresses; what lies between them is gap.
  const bool bshd = layout_ == Layout::kBSHD;
  const std::int64_t outer = bshd ? shape_[1] : shape_[2];
  const std::int64_t inner = bshd ? shape_[2] : shape_[1];
  const std::byte* at = bytes_.data();
  for (std::int64_t r = 0; r < shape_[0] * outer * inner; ++r) {
    const std::int64_t b = r / (outer * inner);
    const std::int64_t o = r / inner % outer;
    const std::int64_t i = r % inner;
    const std::byte* start = bshd ? row(b, o, i) : row(b, i, o);
    changed += count_other(at, static_cast<std::size_t>(start - at), bytes_.fill());
    at = start + row_bytes();
  }
  const std::byte* end = bytes_.data() + bytes_.size();
  return changed + count_other(at, static_cast<std::size_t>(end - at), bytes_.fill());
}

}  // namespace lvsa::analysis
