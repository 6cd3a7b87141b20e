// Radial attention, from the published rule: the width of the diagonal halves with each doubling of
// the distance of two frames; where it would be below a block, distances are left out instead.

#include <algorithm>
#include <cstdlib>

#include "reference/sparse/token_rules.hpp"

namespace lvsa::reference {
namespace {

constexpr std::int64_t kBlock = 128;

int bit_length(std::int64_t value) {
  int bits = 0;
  for (; value > 0; value /= 2) ++bits;
  return bits;
}

double two_to(int exponent) {
  double power = 1.0;
  for (; exponent > 0; --exponent) power *= 2.0;
  for (; exponent < 0; ++exponent) power /= 2.0;
  return power;
}

// Whether a token at `p` of frame f attends that at `o` of frame g.
bool pair_attends(const SparseVideo& video, const RadialWords& words, std::int64_t f,
                  std::int64_t g, std::int64_t p, std::int64_t o) {
  if (words.sink && g == 0) return true;
  const std::int64_t distance = std::abs(f - g);
  const double unit = two_to(bit_length(video.frame_tokens()) - bit_length(distance));
  if (unit < 128.0) {
    const auto period = static_cast<std::int64_t>(128.0 / unit);
    if (distance % period != 0) return false;
  }
  double width = static_cast<double>(video.frame_tokens());
  if (distance > 1) width = std::max(words.decay * unit, 128.0);
  return static_cast<double>(std::abs(p - o)) <= width;
}

// The rule of blocks, for a block whose filled pairs `attends(row, column)` tells.
template <typename Attends>
bool keeps_block(const Attends& attends) {
  double high = 0;
  double filled_at_all = 0;
  for (std::int64_t column = 0; column < kBlock; ++column) {
    double filled = 0;
    for (std::int64_t row = 0; row < kBlock; ++row) filled += attends(row, column) ? 1 : 0;
    if (filled / 128.0 > 1.0 / 3.0) high += 1;
    if (filled > 0) filled_at_all += 1;
  }
  return high / (filled_at_all + 1e-9) > 0.6;
}

// Blocks from the one on that holds the end of the video: text, and what is left of the video.
TokenMask border_blocks(const SparseVideo& video) {
  const std::int64_t blocks = (video.tokens() + kBlock - 1) / kBlock;
  const auto size = static_cast<std::size_t>(blocks);
  TokenMask mask(size, std::vector<std::uint8_t>(size, 0));
  const auto border = static_cast<std::size_t>(video.video_tokens() / kBlock);
  for (std::size_t r = 0; r < size; ++r) {
    for (std::size_t c = 0; c < size; ++c) mask[r][c] = r >= border || c >= border ? 1 : 0;
  }
  return mask;
}

}  // namespace

TokenMask radial_token_mask(const SparseVideo& video, const RadialWords& words) {
  const auto size = static_cast<std::size_t>(video.tokens());
  TokenMask mask(size, std::vector<std::uint8_t>(size, 1));
  const std::int64_t frame = video.frame_tokens();
  for (std::int64_t q = 0; q < video.video_tokens(); ++q) {
    for (std::int64_t k = 0; k < video.video_tokens(); ++k) {
      mask[static_cast<std::size_t>(q)][static_cast<std::size_t>(k)] =
          pair_attends(video, words, q / frame, k / frame, q % frame, k % frame) ? 1 : 0;
    }
  }
  return mask;
}

TokenMask radial_block_mask(const SparseVideo& video, const RadialWords& words) {
  TokenMask mask = border_blocks(video);
  const std::int64_t frame = video.frame_tokens();
  const std::int64_t spanned = (frame - 1) / kBlock + 1;  // blocks looked at for a frame
  for (std::int64_t f = 0; f < video.frames; ++f) {
    for (std::int64_t g = 0; g < video.frames; ++g) {
      for (std::int64_t r = 0; r < spanned; ++r) {
        for (std::int64_t c = 0; c < spanned; ++c) {
          const auto row = static_cast<std::size_t>(f * frame / kBlock + r);
          const auto column = static_cast<std::size_t>(g * frame / kBlock + c);
          if (row >= mask.size() || column >= mask.size()) continue;
          const bool kept = keeps_block([&](std::int64_t y, std::int64_t x) {
            const std::int64_t p = r * kBlock + y - f * frame % kBlock;
            const std::int64_t o = c * kBlock + x - g * frame % kBlock;
            return p >= 0 && p < frame && o >= 0 && o < frame &&
                   pair_attends(video, words, f, g, p, o);
          });
          if (kept) mask[row][column] = 1;
        }
      }
    }
  }
  return mask;
}

TokenMask radial_whole_block_mask(const SparseVideo& video, const RadialWords& words) {
  TokenMask mask = border_blocks(video);
  const std::int64_t frame = video.frame_tokens();
  for (std::size_t r = 0; r < mask.size(); ++r) {
    for (std::size_t c = 0; c < mask.size(); ++c) {
      if (mask[r][c] != 0) continue;
      const bool kept = keeps_block([&](std::int64_t y, std::int64_t x) {
        const std::int64_t q = static_cast<std::int64_t>(r) * kBlock + y;
        const std::int64_t k = static_cast<std::int64_t>(c) * kBlock + x;
        return pair_attends(video, words, q / frame, k / frame, q % frame, k % frame);
      });
      mask[r][c] = kept ? 1 : 0;
    }
  }
  return mask;
}

}  // namespace lvsa::reference
