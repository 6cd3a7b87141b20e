#include "core/kernel/layout_check.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace lvsa {
namespace {

constexpr auto kInt64Max = std::numeric_limits<std::int64_t>::max();

}  // namespace

lvsa_status refuse(Message message, lvsa_status status, const char* format, ...) {
  if (message.text != nullptr && message.size > 0) {
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(message.text, message.size, format, arguments);
    va_end(arguments);
  }
  return status;
}

lvsa_status check_size(const char* name, std::int64_t value, std::int64_t least, Message message) {
  if (value >= least) return LVSA_OK;
  return refuse(message, LVSA_INVALID, "%s = %" PRId64 ": must be at least %" PRId64, name, value,
                least);
}

bool is_served(lvsa_dtype dtype) {
  return dtype == LVSA_F32 || dtype == LVSA_F16 || dtype == LVSA_BF16;
}

// Every element must have an offset in bytes that 64 bits hold.
lvsa_status check_reach(const StridedTensor& layout, Message message) {
  if (layout.data == nullptr) {
    return refuse(message, LVSA_INVALID, "%s.data = null: must point to the tensor", layout.name);
  }
  std::int64_t low = 0;
  std::int64_t high = 0;
  for (int d = 0; d < layout.rank; ++d) {
    const auto i = static_cast<std::size_t>(d);
    std::int64_t reach = 0;
    bool overflow = __builtin_mul_overflow(layout.sizes[i] - 1, layout.strides[i], &reach);
    std::int64_t& end = reach < 0 ? low : high;
    overflow = overflow || __builtin_add_overflow(end, reach, &end) || end > kInt64Max / 8 ||
               end < -(kInt64Max / 8);
    if (overflow) {
      return refuse(message, LVSA_INVALID,
                    "%s.strides[%d] = %" PRId64 ": the last of %" PRId64
                    " steps must be an offset that fits 64 bits",
                    layout.name, d, layout.strides[i], layout.sizes[i]);
    }
  }
  return LVSA_OK;
}

// Two elements of an output in one place would be a race. Sufficient, not necessary: in the order
// of their strides, each dimension steps over all that the smaller ones reach.
lvsa_status check_distinct(const StridedTensor& layout, Message message) {
  std::array<std::size_t, 4> order = {0, 1, 2, 3};
  const auto step = [&](std::size_t d) { return std::abs(layout.strides[d]); };
  std::sort(order.begin(), order.begin() + layout.rank,
            [&](std::size_t a, std::size_t b) { return step(a) < step(b); });
  std::int64_t reach = 0;
  for (int i = 0; i < layout.rank; ++i) {
    const std::size_t d = order[static_cast<std::size_t>(i)];
    if (layout.sizes[d] == 1) continue;
    if (step(d) <= reach) {
      return refuse(message, LVSA_INVALID,
                    "%s.strides[%d] = %" PRId64
                    ": elements would share a place, must be more than the %" PRId64
                    " that the smaller strides reach",
                    layout.name, static_cast<int>(d), layout.strides[d], reach);
    }
    reach += (layout.sizes[d] - 1) * step(d);
  }
  return LVSA_OK;
}

}  // namespace lvsa
