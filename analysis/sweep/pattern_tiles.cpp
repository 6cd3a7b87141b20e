#include "analysis/sweep/pattern_tiles.hpp"

#include <algorithm>
#include <bit>

#include "analysis/sweep/partials.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::int64_t kMostKeys = 64;

}  // namespace

KeyTiles::KeyTiles(const FrameGrid& grid) : cells_(cell_count(grid)) {
  tile_of_.resize(static_cast<std::size_t>(grid.seq_len()));
  for (std::int64_t cell = 0; cell < cells_; ++cell) {
    const std::int64_t first = cell * grid.patches_per_frame;
    const std::int64_t last = cell < grid.frames ? first + grid.patches_per_frame : grid.seq_len();
    for (std::int64_t begin = first; begin < last; begin += kMostKeys) {
      const std::int64_t size = std::min(kMostKeys, last - begin);
      std::fill_n(tile_of_.begin() + begin, size, static_cast<std::int32_t>(tiles_.size()));
      tiles_.push_back({begin, size, cell});
    }
  }
}

void KeyTiles::mark(std::int64_t first, std::int64_t last, std::span<std::uint64_t> words) const {
  if (first >= last) return;
  for (auto at = static_cast<std::size_t>(tile_of_[static_cast<std::size_t>(first)]);
       at < tiles_.size() && tiles_[at].begin < last; ++at) {
    const KeyTile& tile = tiles_[at];
    const std::int64_t low = std::max(first - tile.begin, std::int64_t{0});
    const std::int64_t high = std::min(last - tile.begin, tile.size);
    const std::uint64_t upto =
        high == kMostKeys ? ~std::uint64_t{0} : (std::uint64_t{1} << high) - 1;
    words[at] |= upto & ~((std::uint64_t{1} << low) - 1);
  }
}

void KeyTiles::mark(std::int64_t token, std::span<std::uint64_t> words) const {
  const auto at = static_cast<std::size_t>(tile_of_[static_cast<std::size_t>(token)]);
  words[at] |= std::uint64_t{1} << (token - tiles_[at].begin);
}

void mark_visible(const HeadPattern& pattern, std::int64_t query_token, const KeyTiles& tiles,
                  std::span<std::uint64_t> words) {
  std::fill(words.begin(), words.end(), 0);
  const BlockMap& map = pattern.map;
  const std::int64_t place = pattern.order ? pattern.order->place(query_token) : query_token;
  const std::int64_t block = map.rows.block_of(place);
  const std::int64_t row = place - map.rows.begin(block);
  const auto mark_run = [&](std::int64_t first, std::int64_t last) {
    if (!pattern.order) return tiles.mark(first, last, words);
    for (std::int64_t i = first; i < last; ++i) tiles.mark(pattern.order->token(i), words);
  };
  for (std::int64_t entry = map.indptr[static_cast<std::size_t>(block)];
       entry < map.indptr[static_cast<std::size_t>(block) + 1]; ++entry) {
    const std::int32_t column = map.indices[static_cast<std::size_t>(entry)];
    const std::int32_t mask = pattern.mask.mask_of(entry);
    if (mask < 0) {
      mark_run(map.columns.begin(column), map.columns.end(column));
      continue;
    }
    const std::uint64_t* const bits = pattern.mask.row_bits(mask, row);
    for (std::int64_t w = 0; w < pattern.mask.words; ++w) {
      const std::int64_t base = map.columns.begin(column) + w * 64;
      for (std::uint64_t left = bits[w]; left != 0;) {
        const int from = std::countr_zero(left);
        const int length = std::countr_one(left >> from);
        mark_run(base + from, base + from + length);
        left = from + length >= 64 ? 0 : left & (~std::uint64_t{0} << (from + length));
      }
    }
  }
}

}  // namespace lvsa::analysis
