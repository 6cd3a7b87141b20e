#include "analysis/sweep/speedup.hpp"

#include <fmt/format.h>

#include "analysis/diagnose/pattern_cost.hpp"

namespace lvsa::analysis {

double expected_speedup(double token_density, std::int64_t head_dim, const FrameGrid& grid) {
  if (token_density >= 1.0) return 1.0;
  const auto measured = measured_gain(head_dim, grid);
  return (measured ? measured->gain : 1.0) / token_density;
}

std::string speedup_source(std::int64_t head_dim, const FrameGrid& grid) {
  const auto measured = measured_gain(head_dim, grid);
  if (!measured) {
    return fmt::format("1 / token density: no kernel was measured at head size {}", head_dim);
  }
  return fmt::format(
      "{} / token density: kernel cuda over dense cuDNN, NVIDIA H200, bf16, measured at T={} P={} "
      "H={} D={}",
      measured->gain, measured->frames, measured->patches, measured->heads, measured->head_dim);
}

}  // namespace lvsa::analysis
