#pragma once
// A tensor whose surroundings are watched: red zones in front and behind and, when asked for, gaps
// between rows, all filled with one byte, so that what is written outside shows, and what is read
// outside (filled with NaN) shows too.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/tensor/tensor.hpp"

namespace lvsa::analysis {

/// All ones: a NaN in every floating-point type.
inline constexpr unsigned char kNanByte = 0xff;

/// Bytes with a red zone on both sides, aligned to 256 where no shift is asked for.
class GuardedBytes {
 public:
  /// Everything is filled with `fill`. The data begin `shift` bytes behind a multiple of 256.
  /// Throws Error(kOverflow) when there is no memory for it.
  GuardedBytes(std::size_t size, unsigned char fill, std::size_t shift = 0);

  std::byte* data() { return bytes_.data() + first_; }
  const std::byte* data() const { return bytes_.data() + first_; }
  std::size_t size() const { return size_; }
  unsigned char fill() const { return fill_; }
  /// Fills the inside again; the zones are left as they are.
  void refill(unsigned char fill);
  /// Bytes of the zones that do not hold their fill any more.
  std::int64_t changed_outside() const;

 private:
  std::vector<std::byte> bytes_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  unsigned char fill_ = 0;
};

/// [B, S, H, D], element stride 1.
class GuardedTensor {
 public:
  /// With `gaps`, 64 bytes follow each row and each run of rows of the two outer dimensions;
  /// otherwise contiguous in its layout. Throws Error as Tensor does.
  GuardedTensor(DType dtype, std::array<std::int64_t, 4> shape, Layout layout, bool gaps,
                unsigned char fill, std::size_t shift = 0);
  /// A copy of a tensor's elements.
  GuardedTensor(const TensorView& from, Layout layout, bool gaps, unsigned char fill,
                std::size_t shift = 0);

  DType dtype() const { return dtype_; }
  const std::array<std::int64_t, 4>& shape() const { return shape_; }
  std::byte* bytes() { return bytes_.data(); }
  const std::byte* bytes() const { return bytes_.data(); }
  /// Inside the zones, gaps included.
  std::size_t size_bytes() const { return bytes_.size(); }
  std::int64_t elements() const { return shape_[0] * shape_[1] * shape_[2] * shape_[3]; }
  TensorView view() const { return {bytes_.data(), dtype_, shape_, strides_}; }
  lvsa_tensor c_tensor();
  /// Address of a row of D elements.
  std::byte* row(std::int64_t b, std::int64_t s, std::int64_t h);
  const std::byte* row(std::int64_t b, std::int64_t s, std::int64_t h) const;
  std::size_t row_bytes() const;
  /// Every element, gaps included, becomes `fill`.
  void refill(unsigned char fill) { bytes_.refill(fill); }
  /// Bytes of zones and gaps that do not hold what they were filled with.
  std::int64_t changed_outside() const;

 private:
  DType dtype_;
  std::array<std::int64_t, 4> shape_;
  std::array<std::int64_t, 4> strides_;
  Layout layout_;
  GuardedBytes bytes_;
};

}  // namespace lvsa::analysis
