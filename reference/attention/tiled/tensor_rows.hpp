#pragma once
// Rows of the tensors of the C interface, of fp32, fp16 and bf16.

#include <cstdint>
#include <cstring>

#include "core/kernel/lvsa_kernel.h"
#include "core/numeric/small_floats.hpp"

namespace lvsa::reference {

inline std::int64_t element_bytes(lvsa_dtype dtype) { return dtype == LVSA_F32 ? 4 : 2; }

/// Address of element 0 of a row of a [B, S, H, D] tensor.
inline char* row_address(const lvsa_tensor& tensor, lvsa_dtype dtype, std::int64_t batch,
                         std::int64_t token, std::int64_t head) {
  const std::int64_t offset =
      batch * tensor.strides[0] + token * tensor.strides[1] + head * tensor.strides[2];
  return static_cast<char*>(tensor.data) + offset * element_bytes(dtype);
}

/// The same row with neighbouring elements: itself, or a copy in `gathered`.
inline const void* contiguous_row(const void* row, lvsa_dtype dtype, std::int64_t stride,
                                  std::int64_t count, float* gathered) {
  if (stride == 1 || count == 1) return row;
  const auto bytes = static_cast<std::size_t>(element_bytes(dtype));
  const auto* from = static_cast<const char*>(row);
  auto* to = reinterpret_cast<char*>(gathered);
  for (std::int64_t d = 0; d < count; ++d) {
    std::memcpy(to + d * element_bytes(dtype), from + d * stride * element_bytes(dtype), bytes);
  }
  return gathered;
}

/// Rounds `count` floats to the type and writes them `stride` elements apart.
inline void write_row_elements(const float* row, std::int64_t count, lvsa_dtype dtype,
                               std::int64_t stride, char* to) {
  const std::int64_t step = stride * element_bytes(dtype);
  for (std::int64_t d = 0; d < count; ++d, to += step) {
    if (dtype == LVSA_F32) {
      std::memcpy(to, &row[d], sizeof(float));
    } else {
      const std::uint16_t bits = dtype == LVSA_BF16 ? float_to_bf16(row[d]) : float_to_fp16(row[d]);
      std::memcpy(to, &bits, sizeof(bits));
    }
  }
}

}  // namespace lvsa::reference
