#include "core/pattern/mask_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lvsa {

MaskCell mask_cell(const FramePattern& pattern, std::int64_t query_frame, std::int64_t key_frame) {
  const FrameRange window = pattern.windows[static_cast<std::size_t>(query_frame)];
  const bool in_window = key_frame >= window.lo && key_frame <= window.hi;
  if (pattern.is_global[static_cast<std::size_t>(key_frame)] != 0) {
    return in_window ? MaskCell::kBoth : MaskCell::kGlobal;
  }
  return in_window ? MaskCell::kWindow : MaskCell::kSkip;
}

std::string mask_text(const FramePattern& pattern) {
  const std::int64_t frames = pattern.frames();
  const std::size_t width = std::to_string(frames - 1).size();
  std::string text(width + 2, ' ');
  for (std::int64_t k = 0; k < frames; ++k) {
    text += k % 5 == 0 ? static_cast<char>('0' + k % 10) : ' ';
  }
  text += '\n';
  std::size_t least = pattern.row(0).size();
  std::size_t most = 0;
  for (std::int64_t f = 0; f < frames; ++f) {
    text += fmt::format("{:>{}} |", f, width);
    for (std::int64_t k = 0; k < frames; ++k) text += static_cast<char>(mask_cell(pattern, f, k));
    const std::size_t count = pattern.row(f).size();
    text += fmt::format("| {}\n", count);
    least = std::min(least, count);
    most = std::max(most, count);
  }
  text +=
      fmt::format("G=global W=window X=both .=skip  min={} max={} avg={:.1f}/{}\n", least, most,
                  static_cast<double>(pattern.frame_pairs()) / static_cast<double>(frames), frames);
  return text;
}

}  // namespace lvsa
