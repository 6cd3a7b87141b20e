#include "analysis/verify/frame_heads.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace lvsa::analysis {
namespace {

// NaN is worse than anything: no comparison may lose it.
double worse(double a, double b) { return std::isnan(a) || a > b ? a : b; }

// Up, so that what lies above 1 stays there. Powers of ten are exact up to 22, and a quotient of
// two exact numbers is the nearest decimal; the factor keeps what has three digits already.
double three_digits(double ratio) {
  if (!(ratio > 0.0) || std::isinf(ratio)) return ratio;
  if (ratio < 1e-20) return 1e-20;
  const int digits = 2 - static_cast<int>(std::floor(std::log10(ratio)));
  const double scale = std::pow(10.0, std::abs(digits));
  const double whole = digits >= 0 ? ratio * scale : ratio / scale;
  const double up = std::ceil(whole * (1.0 - 0x1p-50));
  const double rounded = digits >= 0 ? up / scale : up * scale;
  return ratio > 1.0 ? std::max(rounded, 1.01) : rounded;
}

}  // namespace

FrameHeadWorst::FrameHeadWorst(std::int64_t frames, std::int64_t heads)
    : frames_(frames),
      heads_(heads),
      worst_(static_cast<std::size_t>((frames + 1) * heads), -1.0) {}

void FrameHeadWorst::add(std::int64_t frame, std::int64_t head, double ratio) {
  double& cell = worst_[static_cast<std::size_t>(frame * heads_ + head)];
  cell = worse(ratio, cell);
}

FrameHeadMap FrameHeadWorst::map() const {
  FrameHeadMap map;
  // Doubling ends: with all frames in one row there are 2 H cells, and more heads stay as they are.
  for (;; map.frames_per_row *= 2) {
    map.cells.clear();
    const std::int64_t rows = frame_rows(map, frames_);
    for (std::int64_t row = 0; row <= rows; ++row) {
      const std::int64_t first = row < rows ? row * map.frames_per_row : frames_;
      const std::int64_t last =
          row < rows ? std::min(first + map.frames_per_row, frames_) : frames_ + 1;
      for (std::int64_t head = 0; head < heads_; ++head) {
        double ratio = -1.0;
        for (std::int64_t f = first; f < last; ++f) {
          ratio = worse(worst_[static_cast<std::size_t>(f * heads_ + head)], ratio);
        }
        if (!(ratio < 0.0)) map.cells.push_back({row, head, three_digits(ratio)});
      }
    }
    if (map.cells.size() <= kMaxFrameHeadCells || map.frames_per_row >= frames_) return map;
  }
}

}  // namespace lvsa::analysis
