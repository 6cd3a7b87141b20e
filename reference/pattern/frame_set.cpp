#include "reference/pattern/frame_set.hpp"

#include "core/error.hpp"

namespace lvsa::reference {

namespace {
constexpr std::int64_t kLargestSize = 2147483647;
}

void require_size(const char* name, std::int64_t value, std::int64_t lowest) {
  require(lowest <= value && value <= kLargestSize,
          std::string(name) + " is " + std::to_string(value) + ", must be in " +
              std::to_string(lowest) + " .. " + std::to_string(kLargestSize));
}

void require(bool holds, const std::string& message) {
  if (!holds) throw Error(ErrorKind::kValue, message);
}

std::int64_t floor_modulo(std::int64_t a, std::int64_t b) {
  const std::int64_t remainder = a % b;
  return remainder < 0 ? remainder + b : remainder;
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return (a - floor_modulo(a, b)) / b; }

std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return -floor_divide(-a, b); }

std::vector<std::int64_t> sorted(const FrameSet& frames) {
  return std::vector<std::int64_t>(frames.begin(), frames.end());
}

}  // namespace lvsa::reference
