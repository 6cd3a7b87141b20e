// Sliding tile attention: a cube of tiles around each tile, shifted inwards at the borders.

#include <cstdlib>

#include "reference/sparse/token_rules.hpp"

namespace lvsa::reference {
namespace {

using Three = std::array<std::int64_t, 3>;

// Frame, row and column of a video token.
Three place_of(const SparseVideo& video, std::int64_t token) {
  return {token / video.frame_tokens(), token % video.frame_tokens() / video.width,
          token % video.width};
}

bool axis_attends(std::int64_t query, std::int64_t key, std::int64_t tiles, std::int64_t window,
                  bool exact_even) {
  const std::int64_t left = window / 2;
  const std::int64_t right = exact_even && window % 2 == 0 ? window / 2 - 1 : window / 2;
  // The lower bound first, then the upper one, which wins where they cross.
  std::int64_t centre = query;
  if (centre < left) centre = left;
  if (centre > tiles - 1 - right) centre = tiles - 1 - right;
  return key >= centre - left && key <= centre + right;
}

}  // namespace

TokenMask sliding_tile_mask(const SparseVideo& video, const TileWords& words) {
  const Three extent{video.frames, video.height, video.width};
  const auto size = static_cast<std::size_t>(video.tokens());
  TokenMask mask(size, std::vector<std::uint8_t>(size, 1));
  for (std::int64_t q = 0; q < video.video_tokens(); ++q) {
    for (std::int64_t k = 0; k < video.video_tokens(); ++k) {
      const Three query = place_of(video, q);
      const Three key = place_of(video, k);
      bool attends = true;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        const std::int64_t tile = words.tile[axis];
        attends = attends && axis_attends(query[axis] / tile, key[axis] / tile,
                                          (extent[axis] + tile - 1) / tile, words.window[axis],
                                          words.exact_even);
      }
      mask[static_cast<std::size_t>(q)][static_cast<std::size_t>(k)] = attends ? 1 : 0;
    }
  }
  return mask;
}

std::vector<std::int64_t> tile_major_order(const SparseVideo& video, const TileWords& words) {
  const Three& tile = words.tile;
  std::vector<std::int64_t> order;
  for (std::int64_t t0 = 0; t0 < video.frames; t0 += tile[0]) {
    for (std::int64_t y0 = 0; y0 < video.height; y0 += tile[1]) {
      for (std::int64_t x0 = 0; x0 < video.width; x0 += tile[2]) {
        for (std::int64_t t = t0; t < t0 + tile[0] && t < video.frames; ++t) {
          for (std::int64_t y = y0; y < y0 + tile[1] && y < video.height; ++y) {
            for (std::int64_t x = x0; x < x0 + tile[2] && x < video.width; ++x) {
              order.push_back((t * video.height + y) * video.width + x);
            }
          }
        }
      }
    }
  }
  for (std::int64_t i = video.video_tokens(); i < video.tokens(); ++i) order.push_back(i);
  return order;
}

}  // namespace lvsa::reference
