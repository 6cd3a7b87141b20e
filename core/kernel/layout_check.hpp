#pragma once
// Checks of sizes and tensors that problems of both interfaces share.

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/kernel/lvsa_kernel.h"

namespace lvsa {

/// Where the one line that explains a refusal goes; either may be null or 0.
struct Message {
  char* text = nullptr;
  std::size_t size = 0;
};

/// Writes the line, cut to the room there is, and hands `status` back.
[[gnu::format(printf, 3, 4)]] lvsa_status refuse(Message message, lvsa_status status,
                                                 const char* format, ...);

/// A tensor by its strides, of up to four dimensions; `sizes` likewise.
struct StridedTensor {
  const char* name;
  const void* data;
  const std::int64_t* strides;
  std::array<std::int64_t, 4> sizes;
  int rank;
};

/// LVSA_INVALID that names the size when it is less than `least`.
lvsa_status check_size(const char* name, std::int64_t value, std::int64_t least, Message message);
/// fp32, fp16 and bf16.
bool is_served(lvsa_dtype dtype);
/// Every element must have an offset in bytes that 64 bits hold; data must not be null.
lvsa_status check_reach(const StridedTensor& layout, Message message);
/// Two elements of an output in one place would be a race. Sufficient, not necessary: in the order
/// of their strides, each dimension steps over all that the smaller ones reach.
lvsa_status check_distinct(const StridedTensor& layout, Message message);

}  // namespace lvsa
