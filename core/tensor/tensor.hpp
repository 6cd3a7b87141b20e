#pragma once
// Tensors [B, S, H, D] of any element type and layout: views that read, and one that owns.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/kernel/lvsa_kernel.h"

namespace lvsa {

using DType = lvsa_dtype;

/// Bytes an element; 0 for LVSA_DTYPE_NONE.
constexpr std::size_t dtype_bytes(DType dtype) {
  switch (dtype) {
    case LVSA_F64:
      return 8;
    case LVSA_F32:
      return 4;
    case LVSA_F16:
    case LVSA_BF16:
      return 2;
    case LVSA_E4M3:
    case LVSA_E5M2:
      return 1;
    case LVSA_DTYPE_NONE:
      break;
  }
  return 0;
}
/// "f64", "f32", "f16", "bf16", "e4m3", "e5m2", "none".
std::string_view dtype_name(DType dtype);
/// The reverse. Throws Error(kValue) that names the text and what is known.
DType parse_dtype(std::string_view text);
/// Unit roundoff of round-to-nearest in the type: f64 2^-53, f32 2^-24, f16 2^-11, bf16 2^-8,
/// e4m3 2^-4, e5m2 2^-3; 0 for LVSA_DTYPE_NONE.
double unit_roundoff(DType dtype);
/// Half the distance between subnormal numbers of the type: the largest rounding error at 0.
double underflow_error(DType dtype);

/// Order of the two middle dimensions in memory.
enum class Layout {
  kBSHD,  ///< [B, S, H, D]
  kBHSD,  ///< [B, H, S, D]
};
std::string_view layout_name(Layout layout);
Layout parse_layout(std::string_view text);

/// A read-only view; dimensions and strides in the order batch, token, head, element; strides in
/// elements.
struct TensorView {
  const void* data = nullptr;
  DType dtype = LVSA_F32;
  std::array<std::int64_t, 4> shape{};
  std::array<std::int64_t, 4> strides{};

  /// Reads the D elements of one row as doubles; exact. out has shape[3] elements.
  void read_row(std::int64_t b, std::int64_t s, std::int64_t h, double* out) const;
};

/// An owning tensor, contiguous in its layout, 64-byte aligned, not initialised.
class Tensor {
 public:
  Tensor() = default;
  /// Throws Error(kValue) for a size below 1 and Error(kOverflow) when the bytes do not fit in 63
  /// bits or in memory.
  Tensor(DType dtype, std::array<std::int64_t, 4> shape, Layout layout);

  std::byte* bytes() { return data_.get(); }
  const std::byte* bytes() const { return data_.get(); }
  std::size_t size_bytes() const { return size_bytes_; }
  std::int64_t elements() const { return shape_[0] * shape_[1] * shape_[2] * shape_[3]; }
  DType dtype() const { return dtype_; }
  const std::array<std::int64_t, 4>& shape() const { return shape_; }
  TensorView view() const { return {data_.get(), dtype_, shape_, strides_}; }
  /// The same tensor as the C interface takes it.
  lvsa_tensor c_tensor() const;

 private:
  struct Free {
    void operator()(std::byte* pointer) const;
  };
  DType dtype_ = LVSA_F32;
  std::array<std::int64_t, 4> shape_{};
  std::array<std::int64_t, 4> strides_{};
  std::size_t size_bytes_ = 0;
  std::unique_ptr<std::byte[], Free> data_;
};

/// One element's bits as a double, and a double rounded to the type (nearest even) as its bits.
/// For f64, f32, f16 and bf16; throws Error(kValue) for others.
double decode(DType dtype, const void* element);
void encode(DType dtype, double value, void* element);
/// `value` rounded to the type and back.
double round_to_dtype(DType dtype, double value);
/// The number of the type next to `value` (which is one) in the direction of `toward`, infinity
/// included; `value` itself when the two are equal or one is NaN.
double next_in_dtype(DType dtype, double value, double toward);

}  // namespace lvsa
