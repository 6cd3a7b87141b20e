#include "reference/attention/shadow_tiles.hpp"

#include <algorithm>

namespace lvsa::reference {
namespace {

// Tiles of `keys` keys that begin at key `first`.
void cut(std::vector<ShadowTile>& tiles, std::int64_t first, std::int64_t keys, std::int64_t tile) {
  for (std::int64_t begin = 0; begin < keys; begin += tile) {
    tiles.push_back({first + begin, first + std::min(begin + tile, keys), 0});
  }
}

}  // namespace

std::vector<ShadowTile> shadow_tiles(const FrameGrid& grid, std::int64_t frames,
                                     const Schedule& schedule) {
  const std::int64_t video = frames * grid.patches_per_frame;
  std::vector<ShadowTile> tiles;
  if (schedule.tiles_cross_frames == 1) {
    cut(tiles, 0, video + grid.text_tokens, schedule.key_tile);
  } else {
    const std::int64_t piece = schedule.tiles_cross_frames == 2 ? video : grid.patches_per_frame;
    for (std::int64_t first = 0; first < video; first += piece) {
      cut(tiles, first, piece, schedule.key_tile);
    }
    const auto of_frames = static_cast<std::ptrdiff_t>(tiles.size());
    cut(tiles, video, grid.text_tokens, schedule.key_tile);
    if (schedule.key_order == LVSA_KEYS_TEXT_FIRST) {
      std::rotate(tiles.begin(), tiles.begin() + of_frames, tiles.end());
    }
  }
  put_in_order(tiles, schedule);
  return tiles;
}

void put_in_order(std::vector<ShadowTile>& tiles, const Schedule& schedule) {
  if (schedule.key_order == LVSA_KEYS_DESCENDING) std::reverse(tiles.begin(), tiles.end());
  for (std::size_t i = 0; i < tiles.size() && schedule.splits > 1; ++i) {
    const auto index = static_cast<std::int64_t>(i);
    tiles[i].split = schedule.split_rule == LVSA_SPLIT_ROUND_ROBIN
                         ? index % schedule.splits
                         : std::min(index / schedule.split_tiles, schedule.splits - 1);
  }
}

}  // namespace lvsa::reference
